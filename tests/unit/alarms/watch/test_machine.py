"""Conditions of disks and of the clock, from made-up snapshots."""

from __future__ import annotations

from typing import Any

import pytest

from alarms.conditions import Kind
from alarms.watch.machine import UNSYNCHRONISED_S, Machine, machine_skew_s
from alarms.watch.snapshot import Disk, Snapshot

GIB = 1 << 30


def seen(machine: Machine, mono_s: float = 0.0, **more: Any) -> list[tuple[Kind, str]]:
    snapshot = Snapshot(mono_s=mono_s, now_ns=0, statuses=more.pop("statuses", ()), **more)
    return [one.key for one in machine.look(snapshot)]


def ingest(*skews: float | None, state: str = "ready") -> dict[str, Any]:
    cameras = {f"camera {number}": {"skew_s": skew} for number, skew in enumerate(skews)}
    return {"role": "ingest", "state": state, "cameras": cameras}


def test_disk_that_fills_within_a_day_then_is_full_then_refuses() -> None:
    machine = Machine(disk_full_h=24)
    total = 1000 * GIB
    assert seen(machine, 0, disks={"data": Disk(free_bytes=100 * GIB, total_bytes=total)}) == []
    assert seen(machine, 1800, disks={"data": Disk(free_bytes=95 * GIB, total_bytes=total)}) == [(Kind.DISK, "data")]
    assert seen(machine, 1900, disks={"data": Disk(free_bytes=GIB // 4, total_bytes=total)}) == [
        (Kind.DISK_FULL, "data")
    ]
    refused = Disk(free_bytes=95 * GIB, total_bytes=total, refusal="Read-only file system")
    assert (Kind.READ_ONLY, "data") in seen(machine, 2000, disks={"data": refused})


def test_small_disk_is_full_by_its_share() -> None:
    """Half a gibibyte free is little on a large disk, and half of a small one."""
    machine = Machine(disk_full_h=24)
    assert seen(machine, disks={"run": Disk(free_bytes=GIB // 4, total_bytes=GIB)}) == []
    assert seen(machine, disks={"run": Disk(free_bytes=GIB // 20, total_bytes=GIB)}) == [(Kind.DISK_FULL, "run")]


@pytest.mark.parametrize(
    ("skews", "expected"),
    [
        ((30.0, 30.5, 29.5), 30.0),
        ((-30.0, -30.5, -29.5, 400.0), -29.75),
        ((30.0, 30.0), None),  # two may be wrong together
        ((30.0, 90.0, 400.0), None),  # they do not agree
        ((1.0, 1.0, 1.0), None),  # not worth a message
        ((30.0, None, 30.0, 30.0), 30.0),
    ],
)
def test_cameras_that_agree_accuse_this_machines_clock(skews: tuple[float | None, ...], expected: float | None) -> None:
    assert machine_skew_s([ingest(*skews)]) == expected


def test_cameras_of_a_silent_role_do_not_count() -> None:
    assert machine_skew_s([ingest(30.0, 30.0, 30.0, state="unknown")]) is None


def test_unsynchronised_clock_is_reported_after_an_hour_without_a_break() -> None:
    machine = Machine(disk_full_h=24)
    assert seen(machine, 0, unsynchronised=True) == []
    assert seen(machine, UNSYNCHRONISED_S - 1, unsynchronised=True) == []
    assert seen(machine, UNSYNCHRONISED_S, unsynchronised=True) == [(Kind.CLOCK, "kernel")]
    assert seen(machine, UNSYNCHRONISED_S + 1, unsynchronised=False) == []
    assert seen(machine, UNSYNCHRONISED_S + 2, unsynchronised=True) == []
