"""A camera's chain of trailers: lost, begun anew, forked; mended files out of order are none of it."""

from __future__ import annotations

import uuid

import pytest

from domain.ids import CameraId, SegmentId
from storage.sealed.format import ZERO_HASH
from upkeep.inspection import chain
from upkeep.inspection.chain import BreakKind, ChainWatch


def trailer(number: int) -> bytes:
    return number.to_bytes(32, "big")


def segment(number: int) -> SegmentId:
    return SegmentId(uuid.UUID(int=number))


@pytest.fixture
def watch() -> ChainWatch:
    return ChainWatch(CameraId(uuid.uuid4()))


def add(watch: ChainWatch, number: int, previous: int | None = None) -> list[tuple[int, BreakKind]]:
    before = trailer(number - 1 if previous is None else previous) if number > 1 or previous else ZERO_HASH
    found = watch.add(segment(number), number, trailer(number), before)
    return [(each.start_ns, each.kind) for each in found]


def ended(watch: ChainWatch) -> list[tuple[int, BreakKind]]:
    return [(each.start_ns, each.kind) for each in watch.finish()]


def test_whole_chain_has_no_break(watch: ChainWatch) -> None:
    assert [add(watch, number) for number in range(1, 6)] == [[]] * 5
    assert ended(watch) == []


def test_segment_that_vanished_is_named_by_the_one_after_it(watch: ChainWatch) -> None:
    assert [add(watch, number) for number in (1, 2, 4, 5)] == [[]] * 4
    assert ended(watch) == [(4, BreakKind.LOST)]
    assert ended(watch) == []


def test_file_that_was_mended_late_closes_the_chain(watch: ChainWatch) -> None:
    for number in (1, 2, 4, 3):
        assert add(watch, number) == []
    assert ended(watch) == []


def test_trailer_from_before_the_span_is_followed(watch: ChainWatch) -> None:
    watch.remember(trailer(1))
    assert add(watch, 2) == []
    assert ended(watch) == []


def test_two_that_follow_one_are_a_fork_at_the_second(watch: ChainWatch) -> None:
    add(watch, 1)
    add(watch, 2)
    assert add(watch, 3, previous=1) == [(3, BreakKind.FORK)]
    assert ended(watch) == []


def test_chain_begun_anew_is_a_break_only_where_its_recorder_has_earlier_ones(watch: ChainWatch) -> None:
    assert watch.add(segment(1), 1, trailer(1), ZERO_HASH) == []
    assert watch.add(segment(2), 2, trailer(2), ZERO_HASH) == []  # another recorder's first
    (found,) = watch.add(segment(3), 3, trailer(3), ZERO_HASH, anew=True)
    assert (found.kind, found.segment_id) == (BreakKind.ANEW, segment(3))


def test_memory_is_bounded_and_what_is_given_up_is_lost(watch: ChainWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_UNRESOLVED", 2)
    assert [add(watch, number, previous=number + 100) for number in (1, 2)] == [[], []]
    assert add(watch, 3, previous=103) == [(1, BreakKind.LOST)]
    assert ended(watch) == [(2, BreakKind.LOST), (3, BreakKind.LOST)]
    monkeypatch.setattr(chain, "_REMEMBERED", 2)
    watch.remember(trailer(51))
    for number in (61, 62, 63):
        add(watch, number)
    add(watch, 52)  # its previous has been forgotten
    assert (52, BreakKind.LOST) in ended(watch)
