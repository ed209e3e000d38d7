"""Members and what they do, without a broker."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from pathlib import Path

import pytest

from demo.errors import DemoMisuseError
from demo.members import HEADER, members, read_credentials, write_members_csv
from demo.settings import DemoDoor
from demo.traffic import Traffic
from domain.access import EventKind
from domain.time import from_iso

DOORS = tuple(DemoDoor(external_id=f"door-{n}", site="north", name=f"Door {n}") for n in range(3))


def test_members_are_plausible_distinct_and_always_the_same(tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    write_members_csv(file)
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert tuple(rows[0]) == HEADER and len(rows) == 200
    assert [row["number"] for row in rows[:2]] == ["100001", "100002"]
    for name in ("number", "name", "credential"):
        assert len({row[name] for row in rows}) == 200
    assert all(len(bytes.fromhex(row["credential"])) == 7 and row["credential"].isupper() for row in rows)
    assert all(from_iso(row["valid_from"]) for row in rows)
    assert 0 < sum(row["minor"] == "yes" for row in rows) < 40
    assert members() == members() != members(seed=2)


def test_credentials_in_force_and_expired(tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    write_members_csv(file)
    valid, expired = read_credentials(file, from_iso("2026-01-01T00:00:00Z"))
    assert len(valid) + len(expired) == 200 and 0 < len(expired) < 30


@pytest.mark.parametrize("text", [None, "", "number,name\n1,x\n", ",".join(HEADER) + "\n1,x,04,2020,soon,no\n"])
def test_credentials_of_no_list_are_refused(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "members.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DemoMisuseError):
        read_credentials(file, 0)


def test_traffic_is_in_order_seeded_and_makes_sense() -> None:
    credentials = [one.credential for one in members()]
    plan = Traffic(DOORS, credentials[10:], credentials[:10], interval_s=3, seed=4)
    again = Traffic(DOORS, credentials[10:], credentials[:10], interval_s=3, seed=4)
    happenings = [plan.next() for _ in range(5000)]
    assert happenings == [again.next() for _ in range(5000)]
    assert all(early.at_s <= late.at_s for early, late in itertools.pairwise(happenings))
    kinds = Counter(happening.kind for happening in happenings)
    assert set(kinds) == set(EventKind) - {EventKind.FORCED_OPEN}
    assert kinds[EventKind.GRANTED] - kinds[EventKind.DENIED] > 100
    assert any(happening.people == 2 for happening in happenings)
    granted: dict[str, float] = {}
    inside: set[str] = set()
    for happening in happenings:
        if happening.kind is EventKind.DENIED:
            assert happening.credential in credentials[:10]
        elif happening.kind is EventKind.GRANTED:
            assert happening.credential not in inside
            granted[happening.credential] = happening.at_s
        elif happening.kind is EventKind.ENTERED:
            assert 1 <= happening.at_s - granted[happening.credential] <= 2
            inside.add(happening.credential)
        elif happening.kind is EventKind.EXIT:
            inside.remove(happening.credential)


def test_traffic_pauses_when_everybody_is_inside() -> None:
    plan = Traffic(DOORS, ["04A1"], interval_s=1, seed=1)
    kinds = [plan.next().kind for _ in range(50)]
    assert kinds.count(EventKind.EXIT) > 3
