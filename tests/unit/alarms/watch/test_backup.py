"""Backups and drills that are late are alarms; fresh ones are not."""

from __future__ import annotations

from typing import Any

import pytest

from alarms.conditions import Kind
from alarms.watch.backup import late_backups
from domain.time import DAY_NS, HOUR_NS, MINUTE_NS

NOW_NS = 1_796_000_000_000_000_000
FRESH = {
    "role": "backup",
    "state": "ready",
    "last_ns": NOW_NS - 2 * MINUTE_NS,
    "base_ns": NOW_NS - 20 * HOUR_NS,
    "since_ns": NOW_NS - 90 * DAY_NS,
    "base_h": 24,
    "drill_d": 30,
    "drill_ns": NOW_NS - 20 * DAY_NS,
    "drill_ok": True,
    "good_drill_ns": NOW_NS - 20 * DAY_NS,
    "replica": {"last_ns": NOW_NS - HOUR_NS},
}


@pytest.mark.parametrize(
    ("changed", "subject", "words"),
    [
        ({}, "", ""),
        ({"last_ns": NOW_NS - 16 * MINUTE_NS}, "log", "16 minutes old"),
        ({"last_ns": 0, "base_ns": 0}, "log", "no whole backup yet"),
        ({"last_ns": 0, "base_ns": 0, "since_ns": NOW_NS - HOUR_NS}, "", ""),
        ({"base_ns": NOW_NS - 73 * HOUR_NS}, "base", "3 days old"),
        ({"drill_ok": False}, "drill", "failed"),
        ({"good_drill_ns": NOW_NS - 61 * DAY_NS}, "drill", "61 days"),
        ({"good_drill_ns": 0, "drill_ns": 0}, "drill", "90 days"),
        ({"replica": {"last_ns": NOW_NS - 25 * HOUR_NS}}, "replica", "second bucket"),
        ({"replica": None}, "", ""),
        ({"state": "dead"}, "", ""),
    ],
)
def test_what_is_late_is_said(changed: dict[str, Any], subject: str, words: str) -> None:
    found = list(late_backups([FRESH | changed], NOW_NS))
    assert [(one.kind, one.subject) for one in found] == ([(Kind.BACKUP, subject)] if subject else [])
    assert all(words in one.what for one in found)
