"""What was published against what the configuration says: any stated fact that changes is found, no other is."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from paper.errors import PaperError
from paper.published import Difference, differences, from_text, publish, to_text
from paper.stated import Basis, Facts
from pipeline.paper.record import all_papers
from tests.support.papers import FULL, facts_in


def drift(before: Facts, after: Facts) -> list[Difference]:
    return differences(from_text(to_text(publish(all_papers(before), "2026-12-01T00:00:00+00:00"))), all_papers(after))


def changed(value: Any) -> Iterator[tuple[str, Any]]:
    """Each way to change one fact inside ``value``: where, and the whole with that fact changed."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            for where, part in changed(getattr(value, field.name)):
                yield f".{field.name}{where}", replace(value, **{field.name: part})
    elif isinstance(value, dict):
        for key in value:
            for where, part in changed(value[key]):
                yield f"[{key}]{where}", {**value, key: part}
    elif isinstance(value, tuple):
        if value and not isinstance(value[0], str):
            yield "[-1]", value[:-1]
        for number, item in enumerate(value):
            for where, part in changed(item):
                yield f"[{number}]{where}", (*value[:number], part, *value[number + 1 :])
    elif value is not None:
        yield "", _other(value)


def _other(value: Any) -> Any:
    if isinstance(value, Enum):
        return Basis.CONSENT if isinstance(value, Basis) else next(each for each in type(value) if each is not value)
    return (not value) if isinstance(value, bool) else value + 1 if isinstance(value, int) else f"{value} anew"


def test_any_one_fact_that_changes_is_found_in_a_paper(tmp_path: Path) -> None:
    facts = replace(facts_in(tmp_path, FULL.replace("[retention]", BACKUP)), replica=True)
    cases = dict(changed(facts))
    assert len(cases) > 60
    assert [where for where, other in cases.items() if not drift(facts, other)] == UNSEEN
    assert drift(facts, facts) == []


BACKUP = '[backup]\ndirectory = "elsewhere"\nkeep_d = 34\n\n[retention]'
UNSEEN = [".cameras[0].audio_reason"]  # of a camera that records no sound


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("retention_h = 100", "retention_h = 101", {"footage"}),
        ("lookups_d = 731", "lookups_d = 732", {"records"}),
        ("audio = true", "audio = false", {"cameras"}),
        ('email = "tietosuoja@', 'email = "toinen@', {"controller", "rights"}),
        ('[{ name = "Entrance" }]', '[{ name = "Entrance" }, { name = "Weights" }]', {"cameras"}),
        ("[[site.door]]", '[[site.door]]\nname = "Back"\nexternal_id = "b"\n\n[[site.door]]', {"register"}),
        ('name = "Weights"', 'name = "Free weights"', {"cameras", "footage"}),
        ("[retention]", BACKUP, {"records"}),
        ('basis = "contract"', 'basis = "consent"', {"purposes", "rights"}),
    ],
)
def test_change_of_the_configuration_names_paper_section_and_lines(
    tmp_path: Path, old: str, new: str, named: set[str]
) -> None:
    assert old in FULL
    before = facts_in(tmp_path)
    found = drift(before, facts_in(tmp_path, FULL.replace(old, new)))
    assert {one.section for one in found if one.kind == "notice"} == named
    assert {one.language for one in found} == {"en", "fi"}
    assert all(one.gone or one.new for one in found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rtsp://192.168.1.10/one", "rtsp://192.168.1.99/other"),
        ('data = "data"', 'data = "elsewhere"'),
        ("[retention]", "[spool]\nmax_gib = 3\n\n[retention]"),
        ("[retention]", "[serve]\nport = 9443\n\n[retention]"),
        ("[retention]", "[retention]\ncamera_hours_at_once = 7"),
        ('external_id = "main"', 'external_id = "other"'),
        ('zone = "hall"', 'zone = "hall"\nsegment_s = 5'),
        ('zone = "hall"', 'zone = "hall"\nsubstream_url = "rtsp://192.168.1.10/two"'),
        ('name = "Helsinki"', 'name = "Helsinki"\ntime_zone = "Europe/Stockholm"'),
        ("[retention]", '[alarms]\nname = "Other"\n\n[retention]'),
        ('{ name = "Entrance" }', '{ name = "Entrance", before_s = 9 }'),
    ],
)
def test_change_of_what_no_paper_states_is_none(tmp_path: Path, old: str, new: str) -> None:
    assert old in FULL
    text = FULL.replace(old, new)
    assert tomllib.loads(text) != tomllib.loads(FULL)
    assert drift(facts_in(tmp_path), facts_in(tmp_path, text)) == []


def test_paper_never_published_is_all_new(tmp_path: Path) -> None:
    papers = all_papers(facts_in(tmp_path))
    missing = [paper for paper in papers if (paper.kind, paper.language) != ("notice", "fi")]
    found = differences(publish(missing, "now"), papers)
    assert {(one.kind, one.language, one.gone) for one in found} == {("notice", "fi", ())}


def test_record_changed_by_hand_is_refused_by_its_hash(tmp_path: Path) -> None:
    text = to_text(publish(all_papers(facts_in(tmp_path)), "now"))
    with pytest.raises(PaperError, match="differs from its hash"):
        from_text(text.replace("within 101 hours", "within 73 hours", 1))
    for damaged in ("", "[]", json.dumps({"format": "other", "papers": []}), text[:-9]):
        with pytest.raises(PaperError, match="damaged"):
            from_text(damaged)


def test_lines_in_another_order_are_a_change(tmp_path: Path) -> None:
    facts = facts_in(tmp_path)
    turned = replace(facts, cameras=tuple(reversed(facts.cameras)))
    assert {one.section for one in drift(facts, turned)} >= {"cameras", "footage"}
