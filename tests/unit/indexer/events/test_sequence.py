"""What is missing by the doors' own numbers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.time import DAY_NS, NS
from indexer.decoders import native
from indexer.errors import DecodeError
from indexer.events.sequence import GRACE_NS, RANGES_MAX, DoorCount, SequenceTracker
from tests.support.doors.door_log import message


def numbers_missing(count: DoorCount) -> set[int]:
    return {seq for first, past, _ in count.missing for seq in range(first, past)}


def counted(numbers: list[int], *, is_new: bool = False) -> DoorCount:
    count = DoorCount(numbers[0])
    for seq in numbers[1:]:
        count = count.after(seq, 0, is_new=is_new)
    return count


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
    count = counted([4999, 5000]).after(1, 0, is_new=True)
    assert (count.last, count.missing) == (1, ())
    assert counted([1, 2, 3]).after(1, 0, is_new=False).last == 3


@pytest.mark.parametrize(
    ("came", "missing"),
    [
        ([50, 2, 3], {1}),  # began anew, and the first one was lost
        ([50, 2, 1, 3], set()),
        ([50, 3, 4, 6], {1, 2, 5}),
        ([50, 49, 51], set()),  # the two crossed
    ],
)
def test_a_counter_that_begins_anew_tells_what_was_lost_since(came: list[int], missing: set[int]) -> None:
    count = DoorCount(came[0])
    for seq in came[1:]:
        count = count.after(seq, 0, is_new=True, is_first=True)
    assert (count.last, numbers_missing(count)) == (came[-1], missing)


def test_ranges_are_bounded() -> None:
    count = counted(list(range(1, 10_000, 2)))
    assert len(count.missing) == RANGES_MAX
    assert count.missing[-1][:2] == (9998, 9999)


def test_missing_counts_after_the_grace_and_not_for_ever() -> None:
    tracker = SequenceTracker()
    tracker.keep({"front": DoorCount(1).after(5, 7, is_new=True), "back": DoorCount(9)})
    assert tracker.overdue(7 + GRACE_NS - 1) == (0, 0)
    assert tracker.overdue(7 + GRACE_NS) == (3, 1)
    assert tracker.overdue(7 + 8 * DAY_NS) == (0, 0)


def test_native_number_is_read() -> None:
    (event,) = native.decode("access/x/front", message("1", 40 * 365 * DAY_NS, credential="A", seq=7))
    assert event.seq == 7
    (event,) = native.decode("access/x/front", message("1", 40 * 365 * DAY_NS + NS, credential="A"))
    assert event.seq is None


@pytest.mark.parametrize("seq", [-1, 1.5, "seven", True, (1 << 53) + 1, []])
def test_native_number_that_is_none_is_refused(seq: object) -> None:
    with pytest.raises(DecodeError):
        native.decode("access/x/front", message("1", 40 * 365 * DAY_NS, credential="A", seq=seq))
