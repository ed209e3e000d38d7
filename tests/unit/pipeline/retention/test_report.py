"""`tallenne retention status`: the report, its words, and what is confirmed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from domain.ids import CameraId, SiteId
from domain.time import HOUR_NS
from pipeline.commands.retention.words import words_of
from pipeline.retention import report
from pipeline.retention.report import confirmation_of, report_of
from storage.access.retention import CameraKept, Ended, Erasing

NOW_NS = 1_790_000_000 * 10**9
CALM: dict[str, Any] = {
    "held": None,
    "shorter": [],
    "overdue_s": 0,
    "due_hours": 0,
    "due_camera_hours": 0,
    "due_up_to_ns": None,
    "erasures": {"asked": 0, "approved": 0, "waiting_keys": 0},
}


def camera(**more: Any) -> CameraKept:
    values: dict[str, Any] = {
        "camera_id": CameraId(uuid.uuid4()),
        "site_id": SiteId(uuid.uuid4()),
        "site": "Gym",
        "camera": "Lobby",
        "retention_s": 72 * 3600,
        "removed": False,
        "camera_hours": 3,
        "overdue_hours": 0,
        "oldest_hour_ns": NOW_NS - 3 * HOUR_NS,
        "next_expiry_ns": NOW_NS + HOUR_NS,
        "last_expiry_ns": NOW_NS + 3 * HOUR_NS,
    }
    return CameraKept(**(values | more))


NOTHING = Ended(
    expired_camera_hours=0,
    expired_segments=0,
    to_remove_camera_hours=0,
    to_remove_since_ns=None,
    certificates=0,
    certified_ns=None,
)


async def said(
    monkeypatch: pytest.MonkeyPatch,
    cameras: list[CameraKept],
    totals: Ended,
    custodian: dict[str, Any],
    erasing: tuple[Erasing, ...] = (),
) -> dict[str, Any]:
    async def kept(_conn: object, _now_ns: int) -> list[CameraKept]:
        return cameras

    async def ended(_conn: object) -> Ended:
        return totals

    async def erasures(_conn: object) -> list[Erasing]:
        return list(erasing)

    monkeypatch.setattr(report, "erasures", erasures)
    monkeypatch.setattr(report, "kept", kept)
    monkeypatch.setattr(report, "ended", ended)
    nothing: Any = None
    return await report_of(nothing, custodian, NOW_NS)


async def test_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = camera(camera="Old", removed=True, camera_hours=0, oldest_hour_ns=None, next_expiry_ns=None)
    found = await said(monkeypatch, [camera(), empty], NOTHING, CALM)
    assert found["ok"]
    first, second, totals = words_of(found)
    assert "Gym / Lobby" in first and "72 h" in first and "3 hours since" in first
    assert "Old (removed)" in second and "nothing is kept" in second
    assert "0 certificates" in totals


async def test_overdue_held_and_late_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    late = await said(monkeypatch, [camera(overdue_hours=2)], NOTHING, CALM | {"overdue_s": 7200})
    assert not late["ok"]
    assert words_of(late)[-1] == "OVERDUE: 2 camera-hours, for 120 min."
    reason = {"what": "Nothing expires: the clock is ahead.", "remedy": "Look."}
    held = await said(monkeypatch, [camera(overdue_hours=2)], NOTHING, CALM | {"held": reason, "due_camera_hours": 2})
    assert words_of(held)[-2:] == ["HELD: Nothing expires: the clock is ahead.", "  Look."]
    waiting = Ended(
        expired_camera_hours=1,
        expired_segments=9,
        to_remove_camera_hours=1,
        to_remove_since_ns=NOW_NS - 2 * HOUR_NS,
        certificates=1,
        certified_ns=NOW_NS,
    )
    removal = await said(monkeypatch, [camera()], waiting, CALM)
    assert not removal["ok"]
    assert "look at the role keeper" in words_of(removal)[-1]


async def test_confirmation_covers_what_was_shown_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = {"what": "Nothing expires.", "remedy": "Look."}
    due = CALM | {"held": reason, "due_camera_hours": 4, "due_up_to_ns": NOW_NS - 5 * HOUR_NS}
    held = await said(monkeypatch, [camera()], NOTHING, due)
    assert confirmation_of(held, NOW_NS) == {"up_to_ns": NOW_NS - 5 * HOUR_NS, "camera_hours": 4, "shorter": {}}
    change = {"camera_id": "x", "camera": "Lobby", "retention_s": 86400, "shorter_hours": 9, "at_once_hours": 3}
    both = await said(monkeypatch, [camera()], NOTHING, due | {"shorter": [change]})
    assert not both["ok"]
    word = confirmation_of(both, NOW_NS)
    assert (word["camera_hours"], word["shorter"]) == (7, {"x": 86400})
    assert word["up_to_ns"] == NOW_NS - NOW_NS % HOUR_NS
    assert "kept for 24 h only: 9 recorded camera-hours end sooner, 3 at once" in "\n".join(words_of(both))


async def test_erasures_that_are_not_over_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Erasing(
        erasure_id=uuid.uuid4(), state="asked", cameras="Lobby", segments=7, asked_ns=NOW_NS, cases="2026-001"
    )
    found = await said(monkeypatch, [camera()], NOTHING, CALM, (one,))
    assert found["ok"]
    assert [(each["erasure_id"], each["cases"]) for each in found["erasures"]] == [(str(one.erasure_id), "2026-001")]
    assert any("kept by 2026-001" in line for line in words_of(found))
