"""Gaps tile what footage leaves, each with its cause."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from api.search.coverage import gap_answers
from domain.footage import Gap, GapCause
from domain.ids import CameraId
from domain.time import HOUR_NS, NS, Span, from_iso, subtract_spans

CAMERA = CameraId(uuid.uuid4())


def spans(most: int) -> st.SearchStrategy[list[Span]]:
    return st.lists(
        st.tuples(st.integers(0, 3600), st.integers(1, 900)).map(lambda t: Span(t[0] * NS, (t[0] + t[1]) * NS)),
        max_size=most,
    )


@given(footage=spans(5), gaps=spans(5), now_s=st.integers(0, 8000), kept_s=st.integers(1, 9000))
def test_gaps_and_footage_tile_the_past(footage: list[Span], gaps: list[Span], now_s: int, kept_s: int) -> None:
    whole = Span(0, HOUR_NS)
    known = [Gap(camera_id=CAMERA, span=span, cause=GapCause.LOSS) for span in gaps]
    answers = gap_answers(whole, footage, known, now_s * NS, kept_s)
    told = [Span(from_iso(answer.start), from_iso(answer.end)) for answer in answers]
    past = Span(0, min(HOUR_NS, now_s * NS))
    assert subtract_spans(past, [*footage, *told]) == []
    assert sum(span.duration_ns for span in told) == sum(span.duration_ns for span in subtract_spans(past, footage))


def test_gap_without_a_cause_pending_then_unknown_then_expired() -> None:
    now_ns = 1000 * NS
    answers = gap_answers(Span(700 * NS, 2000 * NS), [], [], now_ns, 200)
    assert [(from_iso(each.end) // NS, each.cause) for each in answers] == [
        (800, "expired"),
        (880, "unknown"),
        (1000, "pending"),
    ]


def test_gap_before_anything_is_known_is_no_loss() -> None:
    answers = gap_answers(Span(700 * NS, 2000 * NS), [], [], 1000 * NS, 200, first_ns=850 * NS)
    assert [(from_iso(each.end) // NS, each.cause) for each in answers] == [
        (800, "expired"),
        (850, "before"),
        (880, "unknown"),
        (1000, "pending"),
    ]
