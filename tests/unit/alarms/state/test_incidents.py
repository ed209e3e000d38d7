"""Looks become notices: once each, with their all-clear; nothing for what passes; one outage, one message."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.conditions import DELAYS_S, Condition, Key, Kind, Seen
from alarms.settings import RuleSettings
from alarms.state.incidents import DOUBLINGS_MAX, STEP_MAX_NS, Incidents
from alarms.state.notice import Change, Notice
from domain.time import NS, seconds_to_ns

STEP_S = 2
RULES = RuleSettings()


def camera(number: int, **more: Any) -> Condition:
    return Condition(kind=Kind.CAMERA, subject=str(number), what=f"Camera {number} gives no pictures.", **more)


STORE = Condition(kind=Kind.STORE, what="The object store does not answer.")


class Watch:
    """Incidents under a clock of their own."""

    def __init__(self, rules: RuleSettings = RULES) -> None:
        self.rules = rules
        self.now_ns = 1_800_000_000 * NS
        self.ids = map(str, itertools.count(1))
        self.incidents = Incidents(rules, lambda: next(self.ids))
        self.notices: list[Notice] = []

    def look(self, seconds: float, conditions: Iterable[Condition] = (), unknown: Iterable[Kind] = ()) -> list[Notice]:
        """Looks every two seconds, all with the same result."""
        found: list[Notice] = []
        seen = Seen(conditions=tuple(conditions), unknown=frozenset(unknown))
        for _ in range(round(seconds / STEP_S)):
            self.now_ns += STEP_S * NS
            found += self.incidents.push(self.now_ns, seen)
        self.notices += found
        return found

    def restart(self) -> None:
        saved = json.loads(json.dumps(self.incidents.as_json()))
        self.incidents = Incidents(self.rules, lambda: next(self.ids), saved)


def subjects(notice: Notice) -> list[str]:
    return [line.subject for line in notice.lines]


def test_camera_away_is_raised_once_and_cleared_once() -> None:
    watch = Watch()
    assert watch.look(58, [camera(1)]) == []
    (raised,) = watch.look(3600, [camera(1)])
    assert (raised.change, subjects(raised)) == (Change.RAISED, ["1"])
    assert watch.look(RULES.hold_s - STEP_S) == []
    (cleared,) = watch.look(3600)
    assert (cleared.change, subjects(cleared), cleared.incident) == (Change.CLEARED, ["1"], raised.incident)
    ended_ns = cleared.lines[0].cleared_ns
    assert ended_ns is not None and abs(ended_ns - (raised.since_ns + 3658 * NS)) <= 2 * STEP_S * NS
    assert watch.incidents.raised() == []


def test_what_is_held_is_not_said_to_last() -> None:
    watch = Watch(RuleSettings(hold_s=7200, remind_h=1))
    watch.look(100, [camera(1), camera(2)])
    assert [one.over_since_ns(watch.now_ns) for one in watch.incidents.raised()] == [None, None]
    watch.look(10, [camera(1)], unknown=[Kind.CAMERA])  # of the other nothing is known: it may last
    assert [one.over_since_ns(watch.now_ns) for one in watch.incidents.raised()] == [None, None]
    over_ns = watch.now_ns
    watch.look(60, [camera(1)])
    assert [one.over_since_ns(watch.now_ns) for one in watch.incidents.raised()] == [None, over_ns]
    (reminder,) = watch.look(3600, [camera(1)])
    assert [(line.subject, line.cleared_ns) for line in reminder.lines] == [("1", None), ("2", over_ns)]
    watch.look(4, [camera(1), camera(2)])  # it comes back before its all-clear
    assert [one.over_since_ns(watch.now_ns) for one in watch.incidents.raised()] == [None, None]


def test_what_passes_before_its_delay_is_not_written_of() -> None:
    watch = Watch()
    for _ in range(20):
        watch.look(50, [camera(1)])
        watch.look(60)
    assert watch.notices == []


def test_flapping_is_one_incident() -> None:
    watch = Watch()
    for _ in range(60):
        watch.look(50, [camera(1)])
        watch.look(10)
    assert [notice.change for notice in watch.notices] == [Change.RAISED]
    watch.look(RULES.hold_s + 4)
    assert [notice.change for notice in watch.notices] == [Change.RAISED, Change.CLEARED]


def test_slow_flapping_is_held_longer_each_time() -> None:
    watch = Watch()
    for _ in range(36):  # a day of five minutes on, ten minutes off, and then half a day off
        watch.look(300, [camera(1)])
        watch.look(600)
        watch.restart()
    watch.look(3600)
    changes = [notice.change for notice in watch.notices]
    assert changes == [Change.RAISED, Change.CLEARED] * (len(changes) // 2)
    assert len(changes) <= 10  # 72 with a hold time that stays the same
    watch.look(3600)
    assert [notice.change for notice in watch.look(90, [camera(1)])] == [Change.RAISED]
    assert [notice.change for notice in watch.look(130)] == [Change.CLEARED]  # forgotten after an hour of quiet


def test_sixteen_cameras_and_the_store_at_once_are_one_message_each_way() -> None:
    watch = Watch()
    cameras = [camera(number) for number in range(16)]
    watch.look(4, cameras[:5])
    watch.look(16, [*cameras[:9], STORE])
    watch.look(600, [*cameras, STORE])
    (raised,) = watch.notices
    assert (subjects(raised), len(raised.also)) == ([""], 16)
    watch.look(10, cameras[:3])
    watch.look(600)
    assert [notice.change for notice in watch.notices] == [Change.RAISED, Change.CLEARED]
    assert len(watch.notices[1].lines) == 17


def test_what_is_not_in_the_message_gets_one_of_its_own() -> None:
    watch = Watch()
    watch.look(70, [camera(1)])
    for number in range(2, 6):  # four more, ten seconds apart: one message for them
        watch.look(10, [camera(each) for each in range(1, number + 1)])
    watch.look(3600, [camera(each) for each in range(1, 6)])
    named = [[*subjects(notice), *(line.subject for line in notice.also)] for notice in watch.notices]
    assert named == [["1"], ["2", "3", "4", "5"]]
    watch.look(600)
    assert [notice.change for notice in watch.notices[2:]] == [Change.CLEARED] * 2


def test_consequence_is_not_written_of_while_its_cause_lasts() -> None:
    watch = Watch()
    waiting = camera(1, explained_by=frozenset({Kind.STORE}))
    watch.look(3600, [STORE, waiting])
    (raised,) = watch.notices
    assert (subjects(raised), [line.subject for line in raised.follows]) == ([""], ["1"])
    watch.look(RULES.hold_s + 30, [waiting])  # the hold time, and half a minute to come back
    watch.look(600)
    assert [notice.change for notice in watch.notices] == [Change.RAISED, Change.CLEARED]


def test_consequence_that_outlives_its_cause_is_raised() -> None:
    watch = Watch()
    waiting = camera(1, explained_by=frozenset({Kind.STORE}))
    watch.look(600, [STORE, waiting])
    watch.look(600, [waiting])
    assert [(notice.change, subjects(notice)) for notice in watch.notices] == [
        (Change.RAISED, [""]),
        (Change.CLEARED, [""]),
        (Change.RAISED, ["1"]),
    ]


def test_of_what_cannot_be_seen_nothing_is_concluded() -> None:
    watch = Watch()
    watch.look(90, [camera(1)])
    watch.look(3600, unknown=[Kind.CAMERA])
    assert [notice.change for notice in watch.notices] == [Change.RAISED]
    watch.look(600)
    assert [notice.change for notice in watch.notices] == [Change.RAISED, Change.CLEARED]


def test_reminder_after_each_period() -> None:
    watch = Watch(RuleSettings(remind_h=2.4))
    watch.look(0.22 * 86_400, [camera(1)])
    assert [notice.change for notice in watch.notices] == [Change.RAISED, Change.REMINDER, Change.REMINDER]
    assert len({notice.notice_id for notice in watch.notices}) == 3


def test_restart_keeps_what_is_raised_what_waits_and_how_long() -> None:
    watch = Watch()
    watch.look(90, [camera(1)])
    watch.look(40, [camera(1), camera(2)])
    watch.restart()
    (raised,) = watch.look(30, [camera(1), camera(2)])
    assert subjects(raised) == ["2"]
    watch.restart()
    assert [notice.change for notice in watch.look(600)] == [Change.CLEARED] * 2


def test_hours_in_which_nobody_looked_do_not_count() -> None:
    watch = Watch()
    watch.look(4, [camera(1)])
    watch.now_ns += 5 * 3600 * NS
    assert watch.look(4, [camera(1)]) == []
    watch.now_ns -= 48 * 3600 * NS  # nor does a step of the clock
    assert watch.look(4, [camera(1)]) == []
    assert watch.look(60, [camera(1)])


KEYS = [camera(1), camera(2), camera(3, explained_by=frozenset({Kind.STORE})), STORE]
LOOKS = st.lists(
    st.tuples(st.sets(st.integers(0, 3)), st.integers(1, 90), st.sampled_from(["", "unknown", "restart"])), max_size=25
)


@settings(max_examples=40, deadline=None)
@given(LOOKS)
def test_any_course_of_events(looks: list[tuple[set[int], int, str]]) -> None:
    """Never raised twice without a clear between, never without a clear, never for what was too short."""
    watch = Watch(RuleSettings(remind_h=0.2))
    lasted: dict[Key, int] = dict.fromkeys((one.key for one in KEYS), 0)
    raised: dict[Key, str] = {}  # by which incident
    closed: set[str] = set()
    longest_hold = round(RULES.hold_s * 2**DOUBLINGS_MAX / STEP_S)
    for present, steps, how in [*looks, (set(), longest_hold + 10, "")]:
        if how == "restart":
            watch.restart()
        conditions = [KEYS[number] for number in sorted(present)]
        for _ in range(steps):
            notices = watch.look(STEP_S, conditions, [Kind.CAMERA] if how == "unknown" else [])
            for one in conditions:
                lasted[one.key] += STEP_S * NS
            for notice in notices:
                keys = [(line.kind, line.subject) for line in notice.lines]
                assert notice.incident not in closed
                if notice.change is Change.RAISED:
                    for key in keys:
                        assert key not in raised
                        assert lasted[key] >= seconds_to_ns(DELAYS_S[key[0]])
                        raised[key] = notice.incident
                else:
                    assert notice.incident in raised.values() or notice.change is Change.CLEARED
                if notice.change is Change.CLEARED:
                    closed.add(notice.incident)
                    assert all(line.cleared_ns is not None for line in notice.lines)
                    raised = {key: incident for key, incident in raised.items() if incident != notice.incident}
    assert raised == {}
    assert watch.incidents.raised() == []
    sent = [notice for notice in watch.notices if notice.change is Change.RAISED]
    assert len(sent) == len(closed)
    assert STEP_MAX_NS > STEP_S * NS


def test_positive_control_a_clear_that_is_lost_would_be_seen() -> None:
    watch = Watch()
    watch.look(90, [camera(1)])
    watch.incidents = Incidents(RULES, lambda: "x")  # as if its state were lost: it is raised anew
    watch.look(90, [camera(1)])
    assert [notice.change for notice in watch.notices] == [Change.RAISED, Change.RAISED]
