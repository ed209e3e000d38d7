"""Datagrams back in order: nothing twice, nothing waited for too long, losses left as holes in the numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtp.counts import Counts
from ingest.rtp.reorder import HELD_MAX, HELD_NS, Reorder

START = 65_500


def named(number: int) -> bytes:
    return (number & 0xFFFF).to_bytes(2, "big")


class Line:
    """What a reorder gives for these numbers."""

    def __init__(self, first: int = START) -> None:
        self.counts = Counts()
        self.reorder = Reorder(self.counts)
        self.reorder.begin(first)

    def push(self, *numbers: int, mono_ns: int = 0) -> list[int]:
        due = [item for n in numbers for item in self.reorder.push(n & 0xFFFF, named(n), mono_ns)]
        return [int.from_bytes(item, "big") for item in due]

    def overdue(self, mono_ns: int) -> list[int]:
        return [int.from_bytes(item, "big") for item in self.reorder.overdue(mono_ns)]


def wrapped(*numbers: int) -> list[int]:
    return [number & 0xFFFF for number in numbers]


def test_order_is_kept_over_the_end_of_the_numbers() -> None:
    numbers = range(START, START + 100)
    assert Line().push(*numbers) == wrapped(*numbers)


def test_packet_that_comes_late_is_waited_for() -> None:
    line = Line()
    assert line.push(START, START + 2, START + 3) == wrapped(START)
    assert line.reorder.holds
    assert line.push(START + 1) == wrapped(START + 1, START + 2, START + 3)
    assert not line.reorder.holds


def test_packet_that_comes_twice_is_given_once() -> None:
    line = Line()
    assert line.push(START, START, START + 2, START + 2, START + 1, START + 1) == wrapped(START, START + 1, START + 2)
    assert line.counts.late == 3


@pytest.mark.parametrize("many", [HELD_MAX - 1, HELD_MAX, HELD_MAX + 1])
def test_missing_packet_is_waited_for_while_so_many_later_ones_come(many: int) -> None:
    line = Line()
    later = range(START + 1, START + 1 + many)
    assert line.push(*later) == ([] if many <= HELD_MAX else wrapped(*later))


def test_missing_packet_is_waited_for_so_long_and_not_for_each_missing_one_anew() -> None:
    line = Line()
    line.push(START + 1, START + 3, START + 5)
    assert line.overdue(HELD_NS - 1) == []
    assert line.overdue(HELD_NS) == wrapped(START + 1, START + 3, START + 5)
    assert line.push(START + 4) == []  # too late
    assert line.counts.late == 1


def test_numbers_that_begin_anew_need_two_packets() -> None:
    line = Line()
    assert line.push(START, START + 2) == wrapped(START)
    assert line.push(START + 20_000) == []
    assert line.push(START + 20_001, START + 20_002) == wrapped(START + 2, *range(START + 20_000, START + 20_003))


def test_stray_number_changes_nothing() -> None:
    line = Line()
    assert line.push(START, START + 20_000, START + 1, START + 9_000, START + 2) == wrapped(START, START + 1, START + 2)


@given(st.data())
def test_whatever_comes_each_number_is_given_once_and_in_order(data: st.DataObject) -> None:
    """All that overtakes by at most HELD_MAX places is put right; what never comes leaves a hole."""
    count = data.draw(st.integers(1, 300))
    lost = data.draw(st.sets(st.integers(1, count - 1), max_size=8)) if count > 1 else set()
    delays = data.draw(st.lists(st.integers(0, HELD_MAX // 2), min_size=count, max_size=count))
    order = sorted((n for n in range(count) if n not in lost), key=lambda n: (n + (delays[n] if n else -1), n))
    line = Line()
    got = line.push(*(START + n for n in order)) + line.overdue(HELD_NS)
    assert got == wrapped(*(START + n for n in range(count) if n not in lost))
