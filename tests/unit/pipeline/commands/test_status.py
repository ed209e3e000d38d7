"""Which level of protection `tallenne status` says: by who really runs what, and never better than can be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.commands import status
from pipeline.commands.status import _NOT_PROTECTED, not_protected, protection_level, sandbox_lines

ALL = ("custodian", "index", "ingest", "serve")


def roles(**uids: int | None) -> list[dict[str, object]]:
    return [{"role": name, "state": "ready", "pid": uid} for name, uid in uids.items()]


@pytest.fixture(autouse=True)
def _uids_are_pids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_uid", lambda pid: pid)


def test_custodian_under_a_user_of_its_own_is_split() -> None:
    assert protection_level(roles(custodian=1, index=2, ingest=3, serve=4)) == "split"
    assert protection_level(roles(custodian=1, index=2, ingest=3, serve=2)) == "split"


@pytest.mark.parametrize(
    "uids",
    [
        {"custodian": 1, "index": 1, "ingest": 1, "serve": 1},
        {"custodian": 1, "index": 2, "ingest": 3, "serve": 1},
        {"custodian": 1, "index": 2, "ingest": 0, "serve": 4},  # root reads the keyring
        {"custodian": 1, "index": 2, "ingest": 3, "serve": 3},  # ingest's user could ask as the api does
        {"custodian": None, "index": 2, "ingest": 3, "serve": 4},  # hidden from us
        {"custodian": 1},
        {"ingest": 3, "serve": 4},
    ],
)
def test_anything_less_is_one_box(uids: dict[str, int | None]) -> None:
    assert protection_level(roles(**uids)) == "one box"


def test_one_of_two_recorders_under_the_custodians_user_is_one_box() -> None:
    both = [*roles(custodian=1, index=2, ingest=3, serve=4), *roles(ingest=1)]
    assert protection_level(both) == "one box"


def test_custodian_on_another_machine_is_elsewhere_unless_it_runs_here_after_all() -> None:
    assert protection_level(roles(ingest=3), ("ingest",)) == "elsewhere"
    assert protection_level(roles(ingest=3, custodian=3), ("ingest",)) == "one box"


def test_every_level_says_what_it_does_not_protect() -> None:
    assert set(_NOT_PROTECTED) == set(status._LEVELS)
    assert any("whole" in line or "machine" in line for line in _NOT_PROTECTED["one box"])
    assert any("keyring" in line for line in not_protected("one box", []))


def test_report_says_who_waits_what_is_in_quarantine_and_when_the_disk_is_full(tmp_path: Path) -> None:
    waits = {"topic": "database", "what": "No answer.", "remedy": "", "since_ns": 0, "waits_for": "database"}
    disk = {"free_bytes": 1 << 30, "total_bytes": 4 << 30, "full_in_h": 240.0, "measured": True}
    report: dict[str, Any] = {
        "data": str(tmp_path),
        "disk_free_bytes": 1 << 30,
        "roles": [
            {"role": "index", "state": "degraded", "problems": [waits], "quarantine_waiting": 12},
            {
                "role": "notify",
                "state": "ready",
                "problems": [],
                "raised_count": 0,
                "waiting": 0,
                "disks": {"data": disk},
            },
        ],
    }
    said = "\n".join(status._lines(report))
    assert "index waits for the database since 1970" in said
    assert "12 door messages are in quarantine" in said
    assert "disk of data: 1.0 GiB of 4.0 GiB free, full in 10 days" in said
    report["roles"][1] = {"role": "notify", "state": "unknown", "problems": []}
    assert "disk: 1.0 GiB free; the role notify does not say how fast it fills" in status._lines(report)


def test_sandbox_is_told_by_what_each_role_says_and_opens_a_smaller_way_to_the_keyring() -> None:
    held = {"holds": ["no new privileges", "system calls", "files"], "lacks": []}
    bare = {"holds": ["no new privileges"], "lacks": ["files"]}
    found = roles(custodian=1, index=1, ingest=1, serve=1)
    for role in found:
        role["sandbox"] = held
    found[3]["workers"] = {"thumbnails": held}
    assert sandbox_lines(found) == [
        "sandbox of custodian, index, ingest, serve, serve (thumbnails): no new privileges, system calls, files"
    ]
    assert "breaks out of its sandbox" in not_protected("one box", found)[-1]
    found[2]["sandbox"] = bare
    assert "sandbox of ingest: no new privileges; NOT files" in sandbox_lines(found)
    assert "takes over any role" in not_protected("one box", found)[-1]
    assert sandbox_lines([{"role": "ingest", "state": "dead", "sandbox": held}]) == []
