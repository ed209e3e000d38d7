"""A camera's time from pictures, losses and pauses: what is to be done, without a recorder and without waiting."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pytest

from domain.footage import GapCause
from domain.time import NS
from ingest.access_unit import AccessUnit, Loss
from ingest.health import Health
from ingest.media.clock import RecorderClock
from ingest.media.segmenter import Action, Append, Begin, Finish, Missing
from ingest.timeline import CameraTimeline
from tests.support.cameras.video import encoded, units

UTC_NS = 1_790_000_000 * NS
MONO_NS = 5_000 * NS


@cache
def film() -> tuple[AccessUnit, ...]:
    """Ten seconds at 25 a second, a key frame every second."""
    return tuple(units(encoded(10.0)))


def shown(start: int = 0, end: int = 250) -> list[AccessUnit | Loss]:
    return [
        AccessUnit(one.data, one.pts_ticks, one.key, MONO_NS + number * NS // 25, one.parameters)
        for number, one in enumerate(film())
    ][start:end]


def made() -> tuple[CameraTimeline, Health]:
    health = Health("Hall")
    timeline = CameraTimeline(health, RecorderClock(MONO_NS, UTC_NS), 3.0, 30.0)
    timeline.connected(UTC_NS)
    return timeline, health


def done(lists: Iterable[list[Action]]) -> list[Action]:
    return [action for actions in lists for action in actions]


def pushed(timeline: CameraTimeline, items: list[AccessUnit | Loss]) -> list[Action]:
    return [action for item in items for action in done(timeline.push([item]))]


def frames(actions: list[Action]) -> int:
    return sum(action.frames for action in actions if isinstance(action, Append))


def test_pictures_become_segments_and_none_is_left_behind() -> None:
    timeline, health = made()
    actions = pushed(timeline, shown()) + done(timeline.flush()) + timeline.close()
    assert frames(actions) == health.frames == 250
    assert [type(action) for action in actions if not isinstance(action, Append)] == [
        kind for _ in range(4) for kind in (Missing, Begin, Finish)
    ]
    ends = [action.end_ns for action in actions if isinstance(action, Append)]
    assert ends == sorted(ends)
    assert ends[-1] - UTC_NS == pytest.approx(10 * NS, abs=NS // 50)
    assert (health.connections, health.state) == (1, "recording")


def test_pictures_before_the_clock_has_settled_are_waited_with() -> None:
    timeline, health = made()
    assert pushed(timeline, shown(0, 15)) == []
    assert health.connections == 0
    assert frames(pushed(timeline, shown(15, 60))) > 30


def test_loss_ends_the_footage_and_names_its_cause() -> None:
    timeline, health = made()
    pushed(timeline, shown(0, 100))
    actions = pushed(timeline, [Loss(3, GapCause.LOSS, "why"), *shown(125, 250)])
    assert isinstance(actions[0], Append)  # what was received comes first
    missing = next(action for action in actions if isinstance(action, Missing))
    assert (missing.cause, missing.detail) == (GapCause.LOSS, "why")
    assert missing.until_ns - UTC_NS == pytest.approx(5 * NS, abs=NS // 50)
    assert (health.losses, health.lost_packets) == (1, 3)


def test_loss_that_costs_no_picture_is_counted_only() -> None:
    timeline, health = made()
    pushed(timeline, shown(0, 100))
    assert not [action for action in pushed(timeline, [Loss(1, gap=False)]) if not isinstance(action, Append)]
    assert health.losses == 1


def test_action_that_failed_ends_the_segment_and_the_next_key_frame_begins_another() -> None:
    timeline, _ = made()
    pushed(timeline, shown(0, 60))
    timeline.broken(UTC_NS + 2 * NS, GapCause.SPOOL_FULL)
    actions = pushed(timeline, shown(60, 130))
    assert isinstance(actions[0], Missing)
    assert actions[0].cause is GapCause.SPOOL_FULL
    assert isinstance(actions[1], Begin)
    assert timeline.cause is GapCause.SPOOL_FULL


def test_step_of_the_recorders_clock_begins_another_segment_without_a_key_frame() -> None:
    timeline, _ = made()
    pushed(timeline, shown(0, 60))
    actions = done(timeline.stepped())
    assert isinstance(actions[-1], Finish)
    assert timeline.cause is GapCause.CLOCK
    timeline.set_back(UTC_NS - 10 * NS)
    after = pushed(timeline, shown(60, 100))
    assert any(isinstance(action, Begin) for action in after)
    assert frames(after) > 30


def test_new_connection_accounts_for_the_time_between() -> None:
    timeline, health = made()
    pushed(timeline, shown(0, 60))
    done(timeline.flush())
    assert isinstance(timeline.missed(GapCause.UNREACHABLE)[0], Finish)
    timeline.forget()
    timeline.connected(None)
    actions = pushed(timeline, shown(150, 250))
    missing = actions[0]
    assert isinstance(missing, Missing)
    assert missing.cause is GapCause.UNREACHABLE
    assert missing.until_ns - UTC_NS == pytest.approx(6 * NS, abs=NS // 20)
    assert health.connections == 2


def test_report_says_what_pictures_are_timed_by_and_how_late_they_come() -> None:
    timeline, health = made()
    pictures = shown()
    for picture in pictures:
        assert isinstance(picture, AccessUnit)
        picture.pts_ticks = 0
    pushed(timeline, pictures)
    timeline.report()
    assert health.timed_by == "arrival"
    assert health.delay_s == pytest.approx(0, abs=0.05)
