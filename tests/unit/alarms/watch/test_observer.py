"""Status files and the machine's state become conditions; each kind with a control in which it does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from alarms.conditions import DELAYS_S, Condition, Kind, Seen
from alarms.settings import WatchSettings
from alarms.watch.observer import Observer
from alarms.watch.snapshot import Disk, Snapshot
from domain.time import NS

GIB = 1024**3
NOW_NS = 1_800_000_000 * NS
ROLES = ("ingest", "index", "custodian", "serve")


def camera(name: str = "Hall", state: str = "recording", frames: int = 1, **more: Any) -> dict[str, Any]:
    return {"name": name, "state": state, "frames": frames, "last_error": "", "remedy": "", **more}


def status(role: str, state: str = "ready", **more: Any) -> dict[str, Any]:
    return {"role": role, "instance": "0", "pid": 1, "state": state, "problems": [], **more}


def gym(**more: dict[str, Any]) -> list[dict[str, Any]]:
    """All roles are well but for what ``more`` says of them."""
    usual: dict[str, dict[str, Any]] = {"ingest": {"cameras": {}}, "serve": {"parts": {}}}
    return [status(role, **(usual.get(role, {}) | more.get(role, {}))) for role in ROLES]


class Watch:
    """Observers under a clock of their own."""

    def __init__(self, **settings: Any) -> None:
        self.observer = Observer(WatchSettings(**settings), ROLES)
        self.mono_s = 1000.0

    def look(self, statuses: Sequence[dict[str, Any]], step_s: float = 2.0, **more: Any) -> Seen:
        self.mono_s += step_s
        now_ns = NOW_NS + int(self.mono_s * NS)
        return self.observer.look(Snapshot(mono_s=self.mono_s, now_ns=now_ns, statuses=tuple(statuses), **more))

    def kinds(self, statuses: Sequence[dict[str, Any]], step_s: float = 2.0, **more: Any) -> list[Kind]:
        return [one.kind for one in self.look(statuses, step_s, **more).conditions]


def only(seen: Seen) -> Condition:
    (condition,) = seen.conditions
    return condition


def test_nothing_when_all_is_well() -> None:
    assert Watch().look(gym()) == Seen(conditions=())


@pytest.mark.parametrize("state", ["connecting", "refused", "failed"])
def test_camera_that_does_not_record(state: str) -> None:
    one = camera(state=state, last_error="Camera rtsp://10.0.0.7/live: no route.", remedy="Check its cable.")
    found = only(Watch().look(gym(ingest={"cameras": {"7": one}})))
    assert (found.kind, found.subject, found.remedy) == (Kind.CAMERA, "7", "Check its cable.")
    assert "10.0.0.7" not in found.what  # messages go through other people's mail servers
    assert Kind.STORE not in found.explained_by


def test_camera_that_waits_is_explained_by_what_it_waits_for() -> None:
    found = only(Watch().look(gym(ingest={"cameras": {"7": camera(state="waiting")}})))
    assert {Kind.STORE, Kind.SPOOL_FULL, Kind.DISK_FULL} <= found.explained_by


def test_camera_whose_pictures_stand_still() -> None:
    watch = Watch()
    for frames in (1, 2, 3):
        assert watch.kinds(gym(ingest={"cameras": {"7": camera(frames=frames)}}), 50) == []
    assert watch.kinds(gym(ingest={"cameras": {"7": camera(frames=3)}}), 50) == []
    assert watch.kinds(gym(ingest={"cameras": {"7": camera(frames=3)}}), 50) == [Kind.CAMERA]


@pytest.mark.parametrize("state", ["unknown", "dead", "unreadable"])
def test_silent_role_and_what_is_not_known_meanwhile(state: str) -> None:
    statuses = gym()
    statuses[0] = {"role": "ingest", "instance": "recorder-1", "state": state, "problems": []}
    seen = Watch().look(statuses)
    assert (only(seen).kind, only(seen).subject) == (Kind.ROLE, "ingest recorder-1")
    assert Kind.CAMERA in seen.unknown


def test_role_without_a_status_does_not_run() -> None:
    assert only(Watch().look(gym()[:3])).what == "The role serve does not run."


def test_role_that_never_gets_ready() -> None:
    watch = Watch()
    assert watch.kinds(gym(custodian={"state": "starting"})) == []
    assert watch.kinds(gym(custodian={"state": "starting"}), 119) == []
    assert (
        watch.look(gym(custodian={"state": "starting"})).conditions[0].what == "The role custodian does not get ready."
    )
    assert watch.kinds(gym()) == []
    assert watch.kinds(gym(custodian={"state": "starting"})) == []


def test_restarts_as_up_reports_them() -> None:
    watch = Watch()
    for count, wanted in ((7, []), (9, []), (10, []), (11, [Kind.RESTARTS])):
        up = status("up", services={"store": {"state": "working", "restarts": count}}, roles={})
        assert watch.kinds([*gym(), up], 60) == wanted
    assert watch.kinds([*gym(), up], 901) == []


def test_restarts_by_process_ids_where_nothing_reports_them() -> None:
    watch = Watch()
    for pid in (1, 2, 3, 4):
        assert watch.kinds(gym(index={"pid": pid}), 60) == []
    assert watch.kinds(gym(index={"pid": 5}), 60) == [Kind.RESTARTS]


@pytest.mark.parametrize(("part", "kind"), [("database", Kind.DATABASE), ("store", Kind.STORE)])
def test_service_away_as_serve_finds_it_and_as_up_does(part: str, kind: Kind) -> None:
    assert Watch().kinds(gym(serve={"parts": {part: True}})) == []
    assert Watch().kinds(gym(serve={"parts": {part: False}})) == [kind]
    up = status("up", services={part: {"state": "failing", "restarts": 0}}, roles={})
    assert Watch().kinds([*gym(), up]) == [kind]
    problem = {"topic": part, "what": "It does not answer.", "remedy": ""}
    assert Watch().kinds(gym(custodian={"problems": [problem]})) == [kind]


def test_other_problems_of_roles_but_not_the_cameras_own() -> None:
    problems = [
        {"topic": "keyring", "what": "A copy of the keyring differs.", "remedy": "Look."},
        {"topic": "camera Hall", "what": "Hall: no pictures.", "remedy": ""},
        {"what": "Hall: no pictures.", "remedy": ""},
    ]
    found = only(Watch().look(gym(custodian={"problems": problems})))
    assert (found.kind, found.what) == (Kind.PROBLEM, "custodian: A copy of the keyring differs.")
    assert Kind.DATABASE in found.explained_by


def test_door_messages_to_topics_of_nobody_are_told_and_nothing_else_of_up() -> None:
    problems = [
        {
            "topic": "topics",
            "what": "Doors sent 7 messages to topics that no [[door_system]] names.",
            "remedy": "Look.",
        },
        {"topic": "role index", "what": "The role index ends again and again.", "remedy": ""},
        {"topic": "disk", "what": "The disk is full.", "remedy": ""},
    ]
    found = only(Watch().look([*gym(), status("up", problems=problems, services={}, roles={})]))
    assert (found.kind, found.subject) == (Kind.PROBLEM, "up: topics")


def spool(size: float, most: float = 10 * GIB) -> dict[str, Any]:
    return {"cameras": {}, "spool": {"bytes": int(size), "max_bytes": int(most)}}


def test_spool_that_fills_and_is_full() -> None:
    watch = Watch()
    for number in range(8):  # 0.1 GiB a minute: half an hour for what is left
        kinds = watch.kinds(gym(ingest=spool((2 + 0.1 * number) * GIB)), 60)
    assert kinds == [Kind.SPOOL]
    assert watch.kinds(gym(ingest=spool(9.9 * GIB))) == [Kind.SPOOL_FULL]
    watch = Watch()
    for _ in range(8):
        assert watch.kinds(gym(ingest=spool(2 * GIB)), 60) == []


def test_keys_that_run_out() -> None:
    for hours, wanted in ((13 * 24, []), (47, [Kind.KEYS])):
        ingest = {"cameras": {"7": camera()}, "keys_ahead_s": hours * 3600}
        assert Watch().kinds(gym(ingest=ingest)) == wanted


def disk(free_gib: float, **more: Any) -> dict[str, Any]:
    return {"disks": {"data": Disk(free_bytes=int(free_gib * GIB), total_bytes=100 * GIB, **more)}}


def test_disk_that_fills_is_full_or_refuses() -> None:
    watch = Watch()
    for minute in range(30):
        kinds = watch.kinds(gym(), 60, **disk(60 - 0.1 * minute))  # 10 h for what is left
    assert kinds == [Kind.DISK]
    assert Watch().kinds(gym(), **disk(60)) == []
    assert Watch().kinds(gym(), **disk(0.4)) == [Kind.DISK_FULL]
    assert Watch().kinds(gym(), **disk(60, refusal="Read-only file system")) == [Kind.READ_ONLY]


def test_clock_off_when_most_cameras_agree() -> None:
    for skews, wanted in (([30, 31, 30, 0], [Kind.CLOCK]), ([30, -30, 0, 200], []), ([40, 40], []), ([0, 0, 1], [])):
        cameras = {str(number): camera(skew_s=float(skew)) for number, skew in enumerate(skews)}
        assert Watch().kinds(gym(ingest={"cameras": cameras})) == wanted


@pytest.mark.trust
def test_audit_trail_that_was_changed_rings_at_once_and_whatever_else_is_wrong() -> None:
    what = "Audit entry 3 is no longer what the custodian signed."
    problems = [{"topic": "audit", "what": what, "remedy": "Run `tallenne audit verify`.", "since_ns": 1}]
    found = only(Watch().look(gym(custodian={"problems": problems})))
    assert (found.kind, found.what) == (Kind.AUDIT, f"custodian: {what}")
    assert not found.explained_by
    assert DELAYS_S[Kind.AUDIT] == 0


def test_clock_that_nothing_keeps_for_an_hour() -> None:
    watch = Watch()
    assert watch.kinds(gym(), unsynchronised=True) == []
    assert watch.kinds(gym(), 3590, unsynchronised=True) == []
    assert watch.kinds(gym(), 20, unsynchronised=True) == [Kind.CLOCK]
    assert watch.kinds(gym(), unsynchronised=False) == []


def test_quarantine_that_grows() -> None:
    watch = Watch()
    assert watch.kinds(gym(index={"quarantined": 1000})) == []
    assert watch.kinds(gym(index={"quarantined": 1019}), 60) == []
    assert watch.kinds(gym(index={"quarantined": 1020}), 60) == [Kind.QUARANTINE]
    assert watch.kinds(gym(index={"quarantined": 1020}), 3700) == []


def test_door_silent_beyond_its_usual_pauses() -> None:
    def doors(hours: float, usual_h: float | None) -> list[dict[str, Any]]:
        last_ns = NOW_NS + int((1002 - hours * 3600) * NS)
        pause_s = None if usual_h is None else usual_h * 3600
        return gym(index={"doors": {"d": {"name": "Main", "last_ns": last_ns, "longest_pause_s": pause_s}}})

    assert Watch().kinds(doors(9, 8)) == []
    assert Watch().kinds(doors(12.1, 8)) == [Kind.DOOR]
    assert Watch().kinds(doors(1000, None)) == []
    assert Watch(door_silent_h=5).kinds(doors(6, None)) == [Kind.DOOR]


def test_request_that_is_nearly_due_is_told_without_a_name() -> None:
    assert Watch().kinds(gym(serve={"requests_due": 0})) == []
    found = only(Watch().look(gym(serve={"requests_due": 1})))
    assert (found.kind, found.what) == (Kind.REQUEST, "1 member request is due within a week, or late.")


def test_account_that_an_administrator_set_up_is_told_without_a_name() -> None:
    assert Watch().kinds(gym(serve={"accounts_set_up": 0})) == []
    found = only(Watch().look(gym(serve={"accounts_set_up": 2})))
    assert (found.kind, found.what.partition(" (")[0]) == (Kind.ACCOUNT, "Administrators set up 2 staff accounts")
    assert "audit trail" in found.remedy


def test_kinds_that_are_off_are_not_watched() -> None:
    statuses = gym(ingest={"cameras": {"7": camera(state="refused")}})
    assert Watch(off=frozenset({Kind.CAMERA})).kinds(statuses) == []


def test_status_that_makes_no_sense_is_said_and_concludes_nothing() -> None:
    seen = Watch().look(gym(ingest={"cameras": ["nonsense"]}))
    assert only(seen).subject == "status files"
    assert seen.unknown == frozenset(Kind)


def test_outlook_of_a_disk_is_measured_before_it_is_said() -> None:
    watch = Watch()

    def look(free_gib: float, step_s: float) -> dict[str, Any]:
        disks = {"data": Disk(free_bytes=int(free_gib * GIB), total_bytes=1000 * GIB)}
        watch.look(gym(), step_s, disks=disks)
        snapshot = Snapshot(mono_s=watch.mono_s, now_ns=NOW_NS, statuses=(), disks=disks)
        return watch.observer.disks(snapshot)["data"]

    assert look(500, 2) == {
        "free_bytes": 500 * GIB,
        "total_bytes": 1000 * GIB,
        "full_in_h": None,
        "measured": False,
    }
    assert not look(499, 800)["measured"]
    found = look(498, 800)  # 2 GiB in 1600 s
    assert found["measured"]
    assert found["full_in_h"] == pytest.approx(498 / 2 * 1600 / 3600, rel=0.01)
    watch = Watch()
    for _ in range(3):
        found = look(500, 800)
    assert (found["measured"], found["full_in_h"]) == (True, None)
