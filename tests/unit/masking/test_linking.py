"""Boxes of one frame and the next become tracks."""

from __future__ import annotations

from masking.boxes import Box
from masking.linking import Linker


def _at(x: int, y: int = 0) -> Box:
    return Box(x, y, x + 20, y + 40)


def _chains(*frames: tuple[int, list[Box]], gap: int = 10) -> list[list[tuple[int, int]]]:
    linker = Linker(gap=gap, overlap=0.2)
    for frame, boxes in frames:
        linker.push(frame, boxes)
    return [[(at.frame, at.box.left) for at in chain] for chain in linker.chains()]


def test_two_persons_who_walk_are_two_tracks() -> None:
    frames = [(k, [_at(100 - 3 * k), _at(3 * k)]) for k in range(0, 15, 3)]
    assert _chains(*frames) == [[(k, 100 - 3 * k) for k, _ in frames], [(k, 3 * k) for k, _ in frames]]


def test_person_found_again_within_the_gap_is_one_track() -> None:
    assert _chains((0, [_at(0)]), (5, []), (10, [_at(4)])) == [[(0, 0), (10, 4)]]


def test_person_found_again_behind_the_gap_is_another_track() -> None:
    assert _chains((0, [_at(0)]), (11, [_at(4)])) == [[(0, 0)], [(11, 4)]]


def test_boxes_that_do_not_meet_are_not_joined() -> None:
    assert _chains((0, [_at(0)]), (1, [_at(19)])) == [[(0, 0)], [(1, 19)]]


def test_nearer_one_is_joined_first() -> None:
    assert _chains((0, [_at(0)]), (1, [_at(8), _at(1)])) == [[(0, 0), (1, 1)], [(1, 8)]]
