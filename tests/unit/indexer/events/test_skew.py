from __future__ import annotations

import pytest

from domain.time import HOUR_NS, NS
from indexer.events.skew import UNSET_NS, SkewTracker, clocks_off

T = 1_800_000_000 * NS


def seen(tracker: SkewTracker, *, at_s: float, delay_s: float, live: bool = True) -> bool:
    received = T + round(at_s * NS)
    return tracker.observe("door", received - round(delay_s * NS), received, live=live).uncertain


def test_right_clock_stays_certain_and_so_do_its_late_events() -> None:
    tracker = SkewTracker()
    assert not seen(tracker, at_s=0, delay_s=1)
    assert not seen(tracker, at_s=10, delay_s=7200)
    assert not seen(tracker, at_s=11, delay_s=86_400 * 3)
    assert abs(tracker.skew_ns("door") or 0) <= NS


def test_fast_clock_is_uncertain_at_once_and_right_again_when_set() -> None:
    tracker = SkewTracker()
    seen(tracker, at_s=0, delay_s=0)
    assert seen(tracker, at_s=1, delay_s=-31)
    assert seen(tracker, at_s=2, delay_s=-31)
    assert tracker.skew_ns("door") == -31 * NS
    assert not seen(tracker, at_s=3, delay_s=0.2)


def test_slow_clock_is_found_by_delays_that_agree_over_time() -> None:
    tracker = SkewTracker()
    seen(tracker, at_s=0, delay_s=0)
    verdicts = [seen(tracker, at_s=60 * n, delay_s=300 + n) for n in range(1, 7)]
    assert verdicts == [False, False, False, True, True, True]
    assert not seen(tracker, at_s=1000, delay_s=1)


def test_queue_after_an_outage_is_late_not_skewed() -> None:
    tracker = SkewTracker()
    seen(tracker, at_s=0, delay_s=0)
    verdicts = [seen(tracker, at_s=7200 + n / 100, delay_s=7200 - n / 100) for n in range(500)]
    assert not any(verdicts)


def test_nothing_known_of_the_clock_leaves_a_large_delay_uncertain() -> None:
    tracker = SkewTracker()
    assert seen(tracker, at_s=0, delay_s=31)
    assert not seen(tracker, at_s=1, delay_s=30)
    assert not seen(tracker, at_s=2, delay_s=31)


def test_replayed_messages_measure_nothing() -> None:
    tracker = SkewTracker()
    assert seen(tracker, at_s=0, delay_s=0, live=False) is False
    assert tracker.skew_ns("door") is None


def test_known_skew_of_an_earlier_run_counts() -> None:
    tracker = SkewTracker()
    tracker.know("door", HOUR_NS)
    assert seen(tracker, at_s=0, delay_s=3600)


def test_invented_doors_do_not_fill_the_memory() -> None:
    tracker = SkewTracker()
    for n in range(10_500):
        tracker.observe(n, T, T, live=True)
    assert tracker.skew_ns(9_999) == 0
    assert tracker.skew_ns(10_000) is None


def test_estimate_is_written_again_only_when_it_has_moved() -> None:
    tracker = SkewTracker()
    seen(tracker, at_s=0, delay_s=0.2)
    first = tracker.to_keep("door")
    assert first is not None
    tracker.kept("door", first)
    seen(tracker, at_s=1, delay_s=0.9)
    assert tracker.to_keep("door") is None
    seen(tracker, at_s=2, delay_s=-40)
    assert tracker.to_keep("door") == -40 * NS
    assert tracker.to_keep("nobody") is None


def test_estimate_that_crosses_the_limit_is_written_however_small_the_step() -> None:
    tracker = SkewTracker()
    tracker.know("door", -round(29.9 * NS))
    for n in range(20):
        seen(tracker, at_s=n, delay_s=-30.4)
    assert tracker.to_keep("door") is not None


def placed_s(tracker: SkewTracker, *, at_s: float, delay_s: float, live: bool = True) -> float:
    """When an event is taken to have occurred, in seconds of our clock."""
    received = T + round(at_s * NS)
    found = tracker.observe("door", received - round(delay_s * NS), received, live=live)
    return (found.occurred_ns - T) / NS


def test_event_from_the_future_occurred_when_it_arrived_at_the_latest() -> None:
    tracker = SkewTracker()
    assert placed_s(tracker, at_s=0, delay_s=-7200) == 0
    assert abs(placed_s(tracker, at_s=60, delay_s=-7199.8) - 60) < 1
    assert placed_s(SkewTracker(), at_s=5, delay_s=-7200, live=False) == 5


def test_late_event_of_a_fast_clock_is_placed_by_what_the_clock_is_ahead() -> None:
    tracker = SkewTracker()
    placed_s(tracker, at_s=0, delay_s=-7200)
    assert placed_s(tracker, at_s=1800, delay_s=-7200 + 1500) == 300
    assert tracker.skew_ns("door") == -7200 * NS


def test_fast_clock_that_is_set_less_fast_is_noticed_when_several_agree() -> None:
    tracker = SkewTracker()
    placed_s(tracker, at_s=0, delay_s=-7200)
    for n in range(1, 6):
        placed_s(tracker, at_s=60 * n, delay_s=-3600)
    assert tracker.skew_ns("door") == -3600 * NS


def test_late_event_keeps_the_controllers_time() -> None:
    assert placed_s(SkewTracker(), at_s=7200, delay_s=7200) == 0


def test_clocks_that_are_off_are_named_with_how_far() -> None:
    assert clocks_off(0, []) is None
    told = clocks_off(5, [("Main", -7200 * NS), ("Back", 90 * NS)])
    assert told is not None
    assert "'Main' is 2.0 h ahead, 'Back' is 90 s behind and 3 more" in told.what
    assert "NTP" in told.remedy


@pytest.mark.parametrize("unset_ns", [77 * NS, 946_684_800 * NS])
def test_event_of_a_clock_that_was_never_set_occurred_when_it_arrived(unset_ns: int) -> None:
    tracker = SkewTracker()
    seen(tracker, at_s=0, delay_s=0)
    found = tracker.observe("door", unset_ns, T + 60 * NS, live=True)
    assert (found.occurred_ns, found.uncertain) == (T + 60 * NS, True)
    assert (tracker.skew_ns("door") or 0) > 20 * 365 * 86_400 * NS  # a problem at once: it is not late by years
    assert not seen(tracker, at_s=120, delay_s=0.1)
    assert abs(tracker.skew_ns("door") or 0) < NS


def test_replay_from_a_clock_that_was_never_set_measures_nothing() -> None:
    tracker = SkewTracker()
    assert tracker.observe("door", 77 * NS, T, live=False).occurred_ns == T
    assert tracker.skew_ns("door") is None


def test_clock_that_is_off_by_years_is_named_in_days() -> None:
    told = clocks_off(1, [("Main", 20_000 * 86_400 * NS)])
    assert told is not None and "'Main' is 20000 days behind" in told.what


# -- To the nanosecond: the limit is 30 s, and an estimate moves by an eighth of what an event differs


def estimate_s(known_s: float, delay_s: float) -> float:
    """After one live event, in seconds."""
    tracker = SkewTracker()
    tracker.know("door", round(known_s * NS))
    seen(tracker, at_s=0, delay_s=delay_s)
    return (tracker.skew_ns("door") or 0) / NS


@pytest.mark.parametrize(
    ("known_s", "delay_s", "estimated_s"),
    [
        (0, 8, 1),
        (-20, -25, -20.625),
        (0, -30, -3.75),  # the limit itself is no jump
        (0, -30.000000001, -30.000000001),
        (-7200, -30, -30),  # right again, at once
        (-7200, -31, -7200),  # less fast, or late: several have to agree
        (-7200, -7170, -7196.25),
        (-7200, -7169.999, -7200),
        (0, 30, 3.75),
        (0, 31, 0),
    ],
)
def test_one_event_moves_the_estimate_by_an_eighth_or_all_the_way(
    known_s: float, delay_s: float, estimated_s: float
) -> None:
    assert estimate_s(known_s, delay_s) == estimated_s


def test_limit_itself_is_certain() -> None:
    tracker = SkewTracker()
    assert tracker.observe("door", T + 30 * NS, T, live=False).occurred_ns == T + 30 * NS
    assert tracker.observe("door", T + 30 * NS + 1, T, live=False).occurred_ns == T
    assert tracker.observe("door", UNSET_NS, T, live=False).occurred_ns == UNSET_NS


@pytest.mark.parametrize(
    ("known_s", "delay_s", "kept_s"),
    [
        (0, 20, 2.5),
        (0, 8, 1),
        (0, 7.99, None),
        (10, 10, None),
        (-29.5, -33.5, None),  # -30 s: not over the limit yet
        (-30, -34, -30.5),
        (-31, -32, None),
    ],
)
def test_estimate_is_kept_once_it_has_moved_a_second_or_over_the_limit(
    known_s: float, delay_s: float, kept_s: float | None
) -> None:
    tracker = SkewTracker()
    tracker.know("door", round(known_s * NS))
    seen(tracker, at_s=0, delay_s=delay_s)
    kept_ns = tracker.to_keep("door")
    assert (None if kept_ns is None else kept_ns / NS) == kept_s


def verdicts(*events: tuple[float, float]) -> tuple[list[bool], int | None]:
    tracker = SkewTracker()
    seen(tracker, at_s=-1000, delay_s=0)
    return [seen(tracker, at_s=at_s, delay_s=delay_s) for at_s, delay_s in events], tracker.skew_ns("door")


def test_slow_clock_is_the_middle_of_delays_that_agree_within_the_limit() -> None:
    assert verdicts((0, 300), (30, 330), (60, 300), (90, 310)) == ([False, False, False, True], 315 * NS)
    late, skew_ns = verdicts(*((60 * n, 300 + 31 * n) for n in range(12)))
    assert (any(late), skew_ns) == (False, 0)  # each differs from the one before
    close, skew_ns = verdicts((0, 300), (29.9, 300), (40, 300), (50, 300), (59, 300))
    assert (any(close), skew_ns) == (False, 0)  # a queue: not far enough apart


def test_right_event_between_begins_the_run_anew() -> None:
    found, _ = verdicts((0, 300), (60, 300), (120, 300), (121, 0), (125, 300), (155, 300), (185, 300), (215, 300))
    assert found == [False] * 7 + [True]
    found, _ = verdicts((0, 300), (60, 300), (120, 300), (130, 0), (180, 300), (240, 300), (300, 300), (360, 300))
    assert found == [False] * 7 + [True]


def test_how_far_off_is_said_in_seconds_hours_or_days() -> None:
    off_s = (1, 3599, 3600, 172_799, 172_800)
    told = clocks_off(5, [("A", second * NS) for second in off_s])
    assert told is not None
    for words in ("1 s behind", "3599 s behind", "1.0 h behind", "48.0 h behind", "2 days behind"):
        assert words in told.what
    assert "more" not in told.what
    one = clocks_off(2, [("A", -NS)])
    assert one is not None and "'A' is 1 s ahead and 1 more." in one.what
