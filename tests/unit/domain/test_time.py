"""Times as RFC 3339 lets them be written, and what is none."""

from __future__ import annotations

from itertools import pairwise

import pytest

from domain.time import (
    DAY_NS,
    HOUR_NS,
    NS,
    Span,
    day_name,
    day_of,
    from_iso,
    hour_of,
    merge_spans,
    seconds_to_ns,
    subtract_spans,
    to_iso,
)

MOMENT_NS = from_iso("2026-11-29T18:32:17.857Z")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29t18:32:17.857z",
        "2026-11-29T18:32:17.857z",
        "2026-11-29 18:32:17.857Z",
        "2026-11-29T20:32:17.857+02:00",
        "2026-11-29t20:32:17.857000000+0200",
        "2026-11-29T18:32:17.857-00:00",
    ],
)
def test_one_moment_in_all_its_writings(text: str) -> None:
    assert from_iso(text) == MOMENT_NS


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2016-12-31t23:59:60z", "2017-01-01T01:59:60+02:00"])
def test_a_leap_second_is_the_second_behind_it(text: str) -> None:
    assert from_iso(text) == from_iso("2017-01-01T00:00:00Z")


def test_a_leap_second_has_parts() -> None:
    assert from_iso("2016-12-31T23:59:60.25Z") - from_iso("2016-12-31T23:59:59.25Z") == NS


def test_milliseconds_come_back() -> None:
    assert from_iso(to_iso(DAY_NS + 120_000_000)) == DAY_NS + 120_000_000
    assert to_iso(DAY_NS + 120_999_999) == "1970-01-02T00:00:00.120Z"  # truncated
    assert from_iso("1970-01-02T00:00:01.000007Z") == DAY_NS + NS + 7000


def test_hours_and_days_begin_at_their_start() -> None:
    for of, length_ns in ((hour_of, HOUR_NS), (day_of, DAY_NS)):
        for start_ns in (0, 7 * length_ns):
            assert [of(start_ns + more) for more in (0, 1, length_ns - 1, length_ns)] == [
                *([start_ns] * 3),
                start_ns + length_ns,
            ]
    assert [day_name(at) for at in (0, DAY_NS - 1, DAY_NS)] == ["19700101", "19700101", "19700102"]
    assert seconds_to_ns(1.5) == 1_500_000_000


def test_span_is_half_open() -> None:
    span = Span(10, 20)
    assert span.duration_ns == 10
    assert [span.contains(at) for at in (9, 10, 19, 20)] == [False, True, True, False]
    for other, overlaps in ((Span(0, 10), False), (Span(0, 11), True), (Span(19, 30), True), (Span(20, 30), False)):
        assert span.overlaps(other) == other.overlaps(span) == overlaps
    assert span.clipped_to(Span(0, 15)) == Span(10, 15)
    assert span.clipped_to(Span(15, 99)) == Span(15, 20)
    assert span.clipped_to(Span(20, 30)) is None
    assert Span(5, 5).duration_ns == 0
    with pytest.raises(ValueError, match="ends"):
        Span(5, 4)


def test_spans_are_merged_and_subtracted() -> None:
    """By the nanosecond: every set of spans on a short line is compared with the set of its points."""
    assert merge_spans([Span(5, 7), Span(0, 2), Span(2, 3), Span(6, 6)]) == [Span(0, 3), Span(5, 7)]
    assert merge_spans([Span(0, 9), Span(1, 2), Span(10, 11)]) == [Span(0, 9), Span(10, 11)]
    line = Span(2, 8)
    some = [Span(start, end) for start in range(11) for end in range(start + 1, 11)]
    for first in some:
        for second in some[::3]:
            left = subtract_spans(line, [first, second])
            points = {at for span in left for at in range(span.start_ns, span.end_ns)}
            assert points == {at for at in range(2, 8) if not first.contains(at) and not second.contains(at)}
            assert all(before.end_ns < after.start_ns for before, after in pairwise(left))
            assert all(span.duration_ns > 0 for span in left)
    assert subtract_spans(line, []) == [line]


@pytest.mark.parametrize(
    "text",
    ["2026-11-29T18:32:17", "2026-11-29T18:32:61Z", "2026-11-29T18:60:00Z", "2026-11-29T18:32:601Z", "60", "", ":60"],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_iso(text)
