"""Members of the demo: plausible, distinct, the same at every start."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from demo.errors import DemoMisuseError
from demo.members import HEADER, members, read_credentials, write_members_csv
from domain.time import from_iso


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
