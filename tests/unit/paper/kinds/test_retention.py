"""The retention table: its figures are those by which custodian and keeper delete."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import pytest

from custodian.keys.hour_keys import lifetime_of
from domain.time import HOUR_NS
from paper.content import Table
from paper.kinds.retention import RECORDS, footage_section, paper, records_section
from paper.language import LANGUAGES, Language
from pipeline.config.load import load
from tests.support.papers import FULL, facts_in
from upkeep.keeper.periods import ERASURES_D
from upkeep.keeper.settings import Periods


def rows(section: object) -> tuple[tuple[str, ...], ...]:
    (table,) = [block for block in section.blocks if isinstance(block, Table)]  # type: ignore[attr-defined]
    return table.rows


def test_every_period_of_the_keeper_has_a_row() -> None:
    assert set(RECORDS) == {field.name for field in fields(Periods)}


@pytest.mark.parametrize("hours", [1, 24, 71, 72, 100, 24 * 365])
def test_bound_of_footage_is_the_custodians(tmp_path: Path, hours: int) -> None:
    facts = facts_in(tmp_path, FULL.replace("retention_h = 100", f"retention_h = {hours}"))
    bound = lifetime_of(hours * 3600) // HOUR_NS
    assert bound == hours + 1
    row = rows(footage_section(facts, "en"))[1]
    assert row[1] == ("1 hour" if hours == 1 else f"{hours} hours") and row[2] == f"within {bound} hours"
    assert rows(footage_section(facts, "fi"))[1][2] == f"{bound} tunnin kuluessa"


@pytest.mark.parametrize("language", LANGUAGES)
def test_records_periods_are_the_keepers(tmp_path: Path, language: Language) -> None:
    facts = facts_in(tmp_path)
    keeper = asdict(load(tmp_path / "tallenne.toml").config.retention.periods)
    shown = [row[1] for row in rows(records_section(facts, language))]
    unit = "days" if language == "en" else "päivää"
    assert shown[: len(keeper) + 1] == [f"{count} {unit}" for count in (*keeper.values(), ERASURES_D)]
    assert list(keeper.values()) == [91, 31, 366, 731, 733, 1094, 32, 33]


def test_default_of_a_camera_is_72_hours_plus_one_stated(tmp_path: Path) -> None:
    row = rows(paper(facts_in(tmp_path), "en").sections[0])[0]
    assert row[:3] == ("Entrance", "72 hours", "within 73 hours")


def test_reason_for_more_than_72_hours_is_stated(tmp_path: Path) -> None:
    assert rows(footage_section(facts_in(tmp_path), "en"))[1][3] == "two burglaries in a weekend"


def test_backups_are_stated_where_there_are_some(tmp_path: Path) -> None:
    with_backups = f'{FULL}\n[backup]\ndirectory = "elsewhere"\nkeep_d = 34\n'
    assert "34 days" not in str(rows(records_section(facts_in(tmp_path), "en")))
    assert "34 days" in str(rows(records_section(facts_in(tmp_path, with_backups), "en")))
