"""A paper's lines and their hash: the same content has the same, other content has not."""

from __future__ import annotations

from dataclasses import replace

from paper.content import Blank, Items, Kind, Labelled, Paper, Paragraph, Section, Table, hash_of

SECTION = Section(
    key="one",
    title="First",
    blocks=(
        Paragraph("Some words."),
        Items(("a", "b")),
        Table("Cameras", ("name", "hours"), (("Hall", "73"),)),
        Labelled("Deleted", "within 73 hours"),
        Blank("Why?"),
    ),
)
PAPER = Paper(kind=Kind.NOTICE, language="en", title="Notice", sections=(SECTION,))


def test_lines_hold_every_block() -> None:
    assert PAPER.lines == {
        "title": ("Notice",),
        "one": ("First", "Some words.", "a", "b", "name | hours", "Hall | 73", "Deleted: within 73 hours", "Why? ____"),
    }


def test_hash_changes_with_any_content() -> None:
    others = [
        replace(PAPER, title="Other"),
        replace(PAPER, sections=(replace(SECTION, title="Second"),)),
        *(replace(PAPER, sections=(replace(SECTION, blocks=SECTION.blocks[:n]),)) for n in range(5)),
    ]
    hashes = {hash_of(paper.lines) for paper in (PAPER, *others)}
    assert len(hashes) == 8
    assert hash_of(PAPER.lines) == hash_of(replace(PAPER).lines)
