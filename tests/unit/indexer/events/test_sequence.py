"""What is missing by the doors' own numbers."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.time import DAY_NS, NS
from indexer.decoders import native
from indexer.errors import DecodeError
from indexer.events.sequence import EARLIER_MAX, EARLIER_NS, GRACE_NS, RANGES_MAX, SHOWN_NS, DoorCount, SequenceTracker
from tests.support.doors.door_log import message


def numbers_missing(count: DoorCount) -> set[int]:
    return {seq for first, past, _ in count.missing for seq in range(first, past)}


def counted(numbers: list[int], *, is_new: bool = False) -> DoorCount:
    count = DoorCount.begun(numbers[0], 0)
    for seq in numbers[1:]:
        count = count.after(seq, 0, is_new=is_new)
    return count


def known(last: int, *missing: tuple[int, int, int]) -> DoorCount:
    """A counter whose run began long ago, with number 1."""
    return DoorCount(1, -EARLIER_NS, last, missing)


@given(st.sets(st.integers(2, 60)), st.integers(0, 1 << 30))
def test_missing_is_what_never_came_in_whatever_order(lost: set[int], seed: int) -> None:
    """Against the definition; with redeliveries."""
    came = [seq for seq in range(1, 61) if seq not in lost]
    order = came[1:] + came[1:]
    random.Random(seed).shuffle(order)
    count = counted([1, *order])
    assert numbers_missing(count) == {seq for seq in lost if seq < came[-1]}
    assert count.last == came[-1]


def test_counter_that_begins_anew_is_no_loss() -> None:
    count = counted([4999, 5000]).after(1, 7, is_new=True)
    assert count == DoorCount(1, 7, 1)
    assert counted([1, 2, 3]).after(1, 0, is_new=False).last == 3


@given(st.permutations(range(1, 9)))
def test_first_messages_in_any_order_are_not_missing(order: list[int]) -> None:
    count = DoorCount.begun(order[0], 0)
    for seq in [*order[1:], 9]:
        count = count.after(seq, 0, is_new=True, is_first=True)
    assert (count.first, count.last, numbers_missing(count)) == (1, 9, set())


@given(st.integers(1, 5), st.integers(0, 1 << 30), st.sets(st.integers(1, 700), max_size=RANGES_MAX // 2))
def test_numbers_from_before_the_first_that_was_seen_are_late(begun: int, seed: int, lost: set[int]) -> None:
    """As after an indexer is killed: the broker sends what was in flight again, behind what came meanwhile."""
    in_flight = [seq for seq in range(1, begun + 40) if seq not in lost]
    later = [seq for seq in range(begun + 40, 701) if seq not in lost]
    random.Random(seed).shuffle(in_flight)
    order = [*later, *in_flight, 701]
    count = DoorCount.begun(order[0], 0)
    for seq in order[1:]:
        count = count.after(seq, 0, is_new=True, is_first=True)
    assert count.last == 701
    assert numbers_missing(count) == {seq for seq in lost if seq > min(order)}


@pytest.mark.parametrize(
    ("first", "later_ns", "is_late"),
    [
        (2, 0, True),
        (2, EARLIER_NS - 1, True),
        (2, EARLIER_NS, False),
        (EARLIER_MAX + 1, 0, True),
        (EARLIER_MAX + 2, 0, False),
    ],
)
def test_number_1_is_late_or_begins_anew(first: int, later_ns: int, is_late: bool) -> None:
    count = replace(DoorCount.begun(first, 7), last=first + 5000)
    after = count.after(1, 7 + later_ns, is_new=True, is_first=True)
    assert (after.first, after.last) == ((1, count.last) if is_late else (1, 1))
    assert numbers_missing(after) == (set(range(2, first)) if is_late else set())


def test_late_number_beside_the_first_leaves_nothing_missing() -> None:
    assert DoorCount.begun(5, 7).after(4, 8, is_new=True) == DoorCount(4, 7, 5)
    assert DoorCount.begun(5, 7).after(3, 8, is_new=True) == DoorCount(3, 7, 5, ((4, 5, 8),))


def test_number_1_that_comes_once_more_in_its_run_begins_anew() -> None:
    count = DoorCount.begun(3, 0).after(1, 0, is_new=True).after(200, 0, is_new=True)
    assert numbers_missing(count) == {2, *range(4, 200)}
    assert count.after(1, 9, is_new=True) == DoorCount(1, 9, 1, count.missing)


@pytest.mark.parametrize(
    ("came", "missing"),
    [
        ([50, 2, 3], {1}),  # began anew, and the first one was lost
        ([50, 2, 1, 3], set()),
        ([50, 3, 4, 6], {1, 2, 5}),
        ([50, 49, 51], set()),  # not far lower
    ],
)
def test_a_counter_that_begins_anew_tells_what_was_lost_since(came: list[int], missing: set[int]) -> None:
    count = known(came[0])
    for seq in came[1:]:
        count = count.after(seq, 0, is_new=True, is_first=True)
    assert (count.last, numbers_missing(count)) == (came[-1], missing)


def test_ranges_are_bounded() -> None:
    count = counted(list(range(1, 10_000, 2)))
    assert len(count.missing) == RANGES_MAX
    assert count.missing[-1][:2] == (9998, 9999)


def test_missing_counts_after_the_grace_and_not_for_ever() -> None:
    tracker = SequenceTracker()
    tracker.keep({"front": DoorCount.begun(1, 0).after(5, 7, is_new=True), "back": DoorCount.begun(9, 0)})
    assert tracker.overdue(7 + GRACE_NS - 1) == (0, 0)
    assert tracker.overdue(7 + GRACE_NS) == (3, 1)
    assert tracker.overdue(7 + SHOWN_NS - 1) == (3, 1)
    assert tracker.overdue(7 + SHOWN_NS) == (0, 0)
    tracker.keep({"front": DoorCount.begun(1, 0).after(3, 7, is_new=True)})
    assert tracker.overdue(7 + GRACE_NS) == (1, 1)


def test_doors_are_bounded_and_those_that_are_known_go_on_counting() -> None:
    tracker = SequenceTracker()
    tracker.keep({number: known(1) for number in range(10_001)})
    assert tracker.count(9_999) == known(1)
    assert tracker.count(10_000) is None
    tracker.keep({5: known(2), "another": known(2)})
    assert (tracker.count(5), tracker.count("another")) == (known(2), None)


@pytest.mark.parametrize(
    ("count", "seq", "then"),
    [
        (known(5), 5, known(5)),  # a redelivery of the last
        (known(5, (2, 5, 7)), 2, known(5, (3, 5, 7))),
        (known(5, (2, 5, 7)), 3, known(5, (2, 3, 7), (4, 5, 7))),
        (known(5, (2, 5, 7)), 4, known(5, (2, 4, 7))),
        # Not one that was missed: it began anew.
        (known(20, (2, 5, 7)), 5, DoorCount(1, 0, 5, ((2, 5, 7), (1, 5, 0)))),
        (known(50), 20, DoorCount(1, 0, 20, ((1, 20, 0),))),
        (known(50), 25, DoorCount(1, 0, 25, ((1, 25, 0),))),
        (known(50), 26, known(50)),  # not far lower
        (known(50), 0, DoorCount(0, 0, 0)),
    ],
)
def test_number_that_is_first_for_certain(count: DoorCount, seq: int, then: DoorCount) -> None:
    assert count.after(seq, 0, is_new=True, is_first=True) == then


def test_new_message_of_a_low_number_begins_anew_with_0_or_1_only() -> None:
    for seq, last in ((0, 0), (1, 1), (2, 50)):
        assert known(50).after(seq, 0, is_new=True).last == last


def test_native_number_is_read() -> None:
    (event,) = native.decode("access/x/front", message("1", 40 * 365 * DAY_NS, credential="A", seq=7))
    assert event.seq == 7
    (event,) = native.decode("access/x/front", message("1", 40 * 365 * DAY_NS + NS, credential="A"))
    assert event.seq is None


@pytest.mark.parametrize("seq", [-1, 1.5, "seven", True, (1 << 53) + 1, []])
def test_native_number_that_is_none_is_refused(seq: object) -> None:
    with pytest.raises(DecodeError):
        native.decode("access/x/front", message("1", 40 * 365 * DAY_NS, credential="A", seq=seq))
