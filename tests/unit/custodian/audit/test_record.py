"""What an entry says of the keys that are given: every camera, every span, in bounded space, and never less."""

from __future__ import annotations

import uuid
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custodian.audit.record import SPANS_MAX, around, merged, opened_detail
from domain.ids import CameraId
from domain.time import Span

A, B = sorted((CameraId(uuid.uuid4()), CameraId(uuid.uuid4())), key=str)
pytestmark = pytest.mark.trust


def test_detail_counts_keys_and_names_cameras_and_spans() -> None:
    detail = opened_detail([(B, Span(20, 30)), (A, Span(10, 20)), (A, Span(0, 10)), (A, Span(50, 60))])
    assert detail == {
        "opened": 4,
        "cameras": [str(A), str(B)],
        "spans": {str(A): [[0, 20], [50, 60]], str(B): [[20, 30]]},
    }
    assert around(detail) == (None, None)
    assert around(opened_detail([(A, Span(0, 10)), (A, Span(50, 60))])) == (A, Span(0, 60))
    assert around(opened_detail([])) == (None, None)
    assert opened_detail([]) == {"opened": 0, "cameras": [], "spans": {}}


@pytest.mark.parametrize(
    ("spans", "joined"),
    [
        ([], []),
        ([(0, 5)], [(0, 5)]),
        ([(0, 5), (5, 6)], [(0, 6)]),
        ([(0, 5), (6, 7)], [(0, 5), (6, 7)]),
        ([(0, 9), (2, 3)], [(0, 9)]),
        ([(6, 7), (0, 5)], [(0, 5), (6, 7)]),
    ],
)
def test_spans_that_touch_are_one(spans: list[tuple[int, int]], joined: list[tuple[int, int]]) -> None:
    assert merged([Span(*each) for each in spans]) == [Span(*each) for each in joined]


def test_where_there_are_too_many_the_smallest_gaps_are_left_out() -> None:
    spans = [Span(0, 1), Span(10, 11), Span(12, 13), Span(30, 31)]
    assert merged(spans, 4) == spans
    assert merged(spans, 3) == [Span(0, 1), Span(10, 13), Span(30, 31)]
    assert merged(spans, 2) == [Span(0, 13), Span(30, 31)]
    assert merged(spans, 1) == [Span(0, 31)]
    many = [Span(at * 10, at * 10 + 1) for at in range(5000)]
    assert len(merged(many)) == SPANS_MAX


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 9)), max_size=30), st.integers(1, 10))
def test_merged_spans_cover_all_that_was_given(pairs: list[tuple[int, int]], limit: int) -> None:
    spans = [Span(start, start + length) for start, length in pairs]
    joined = merged(spans, limit)
    assert len(joined) <= limit
    assert all(any(one.start_ns <= span.start_ns and span.end_ns <= one.end_ns for one in joined) for span in spans)
    assert all(before.end_ns < after.start_ns for before, after in pairwise(joined))
    if spans:
        assert joined[0].start_ns == min(span.start_ns for span in spans)
        assert joined[-1].end_ns == max(span.end_ns for span in spans)
