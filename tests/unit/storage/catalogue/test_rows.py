"""Rows and types, and gaps cut at midnights and joined again."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from domain.footage import Gap, GapCause, SegmentState
from domain.ids import CameraId
from domain.time import DAY_NS, HOUR_NS, Span
from storage.catalogue.rows import gap_from_row, gap_pieces, joined_gaps, segment_from_row, segment_to_arguments
from tests.support.footage.rows import segment, segment_row

CAMERA, OTHER = CameraId(UUID(int=1)), CameraId(UUID(int=2))
DAY = 20_000 * DAY_NS


def gap(start_ns: int, end_ns: int, **changes: Any) -> Gap:
    values = {"camera_id": CAMERA, "cause": GapCause.LOSS, "detail": "", **changes}
    return Gap(span=Span(start_ns, end_ns), **values)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"fragments": None},
        {"init_sha256": None, "trailer": None},
        {"state": SegmentState.SHADOW, "recovered": True, "epoch": 1},
    ],
)
def test_row_of_a_segment_gives_the_segment(changes: dict[str, Any]) -> None:
    made = segment(**changes)
    assert segment_from_row(segment_row(made)) == made


def test_segment_becomes_the_parameters_of_the_function_in_their_order() -> None:
    made = segment()
    arguments = segment_to_arguments(made)
    assert len(arguments) == 24
    row = segment_row(made)
    expected = [row[name] for name in list(row)[:18]]  # up to the epoch; the state is the database's to decide
    assert arguments[:18] == expected
    assert arguments[18:22] == [(0, 500), (700, 9000), (8300, 8000), (True, False)]
    assert arguments[22:] == [made.init_sha256, made.trailer]
    assert segment_to_arguments(segment(fragments=None))[18:22] == [None] * 4


def test_row_of_a_gap_gives_the_gap() -> None:
    row = {"camera_id": CAMERA, "start_ns": 1, "end_ns": 2, "cause": "loss", "detail": "why"}
    assert gap_from_row(row) == gap(1, 2, detail="why")


@pytest.mark.parametrize(
    ("start", "end", "cuts"),
    [
        (DAY, DAY + DAY_NS, []),
        (DAY + 1, DAY + DAY_NS - 1, []),
        (DAY - 1, DAY + 1, [DAY]),
        (DAY - HOUR_NS, DAY, []),
        (DAY - HOUR_NS, DAY + 2 * DAY_NS + 1, [DAY, DAY + DAY_NS, DAY + 2 * DAY_NS]),
        (DAY, DAY, None),
    ],
)
def test_gap_is_cut_at_midnights_and_joined_to_itself(start: int, end: int, cuts: list[int] | None) -> None:
    whole = gap(start, end, detail="why")
    pieces = list(gap_pieces(whole))
    if cuts is None:
        assert pieces == []
        return
    edges = [start, *cuts, end]
    assert [(piece.span.start_ns, piece.span.end_ns) for piece in pieces] == list(pairwise(edges))
    assert all((piece.camera_id, piece.cause, piece.detail) == (CAMERA, GapCause.LOSS, "why") for piece in pieces)
    assert joined_gaps(pieces) == [whole]


@pytest.mark.parametrize(
    "other",
    [gap(20, 30, camera_id=OTHER), gap(20, 30, cause=GapCause.CLOCK), gap(20, 30, detail="why"), gap(21, 30)],
)
def test_gaps_that_differ_or_do_not_touch_stay_apart(other: Gap) -> None:
    assert joined_gaps([gap(10, 20), other]) == [gap(10, 20), other]
    assert joined_gaps([]) == []
