"""What was published, and where it no longer says what the configuration does. Pure: text in, text out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from paper.content import Paper, hash_of
from paper.errors import PaperError

_FORMAT: Final = "tallenne papers 1"
_AGAIN: Final = "Publish again: `tallenne paper publish`."
Lines = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A paper as it was when it was published. ``sha256`` is of its lines."""

    kind: str
    language: str
    at: str  # ISO 8601, UTC
    sha256: str
    lines: Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A section that changed: ``gone`` is what was published and no longer holds, ``new`` what holds now."""

    kind: str
    language: str
    section: str
    title: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


def publish(papers: Iterable[Paper], at: str) -> list[Published]:
    """The papers as they are now."""
    return [
        Published(kind=paper.kind, language=paper.language, at=at, sha256=hash_of(paper.lines), lines=paper.lines)
        for paper in papers
    ]


def to_text(published: Iterable[Published]) -> str:
    """As it is kept in a file."""
    papers = [
        {"kind": one.kind, "language": one.language, "at": one.at, "sha256": one.sha256, "lines": one.lines}
        for one in published
    ]
    return json.dumps({"format": _FORMAT, "papers": papers}, ensure_ascii=False, indent=1) + "\n"


def from_text(text: str) -> list[Published]:
    """PaperError: it is not what ``to_text()`` wrote, or a paper differs from its hash."""
    try:
        body = json.loads(text)
        if body["format"] != _FORMAT:
            raise ValueError(body["format"])
        found = [
            Published(
                kind=str(one["kind"]),
                language=str(one["language"]),
                at=str(one["at"]),
                sha256=str(one["sha256"]),
                lines={str(key): tuple(map(str, lines)) for key, lines in one["lines"].items()},
            )
            for one in body["papers"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise PaperError(
            "The record of published papers is damaged.", "Publish again: `tallenne paper publish`."
        ) from exc
    for one in found:
        if hash_of(one.lines) != one.sha256:
            raise PaperError(
                f"The record of the published paper {one.kind} ({one.language}) differs from its hash.",
                "It was changed by hand: publish again with `tallenne paper publish`.",
            )
    return found


def differences(published: Iterable[Published], papers: Iterable[Paper]) -> list[Difference]:
    """Every section of ``papers`` that is not as published. A paper that was never published is all new."""
    known = {(one.kind, one.language): one.lines for one in published}
    return [
        change for paper in papers for change in _changes(paper, known.get((str(paper.kind), str(paper.language)), {}))
    ]


def _changes(paper: Paper, before: Lines) -> Iterator[Difference]:
    now = paper.lines
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key, ()), now.get(key, ())
        if old == new:
            continue
        gone = tuple(line for line in old if line not in new)
        added = tuple(line for line in new if line not in old)
        moved = not gone and not added  # the same lines in another order
        yield Difference(
            kind=str(paper.kind),
            language=paper.language,
            section=key,
            title=(new or old)[0],
            gone=old if moved else gone,
            new=new if moved else added,
        )
