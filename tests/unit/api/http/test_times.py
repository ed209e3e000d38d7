"""Times at the edge: with an offset, within bounds, and spans that fit one answer."""

from __future__ import annotations

import pytest

from api.http.problems import Problem
from api.http.times import checked_span, parse_instant, span_json
from domain.time import DAY_NS, HOUR_NS, LATEST_NS, Span, from_iso, to_iso


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T06:31:04Z",
        "2026-11-22T08:31:04+02:00",
        "2026-11-22T08:31:04 02:00",  # an unescaped plus arrives as a blank
        "2026-11-22T03:31:04-03:00",
    ],
)
def test_instant_is_read_with_any_offset(text: str) -> None:
    assert parse_instant(text) == from_iso("2026-11-22T06:31:04Z")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-22", "2026-11-22T06:31:04", "2026-13-01T00:00:00Z", None])
def test_time_without_an_offset_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match="a time like"):
        parse_instant(text)


def test_instants_end_where_the_database_s_days_do() -> None:
    assert parse_instant("1970-01-01T00:00:00Z") == 0
    assert parse_instant(to_iso(LATEST_NS - 1_000_000)) == LATEST_NS - 1_000_000
    for outside in ("1969-12-31T23:59:59Z", to_iso(LATEST_NS)):
        with pytest.raises(ValueError, match="between 1970 and 2200"):
            parse_instant(outside)


@pytest.mark.parametrize(
    ("start", "end", "fits"), [(0, 0, False), (1, 0, False), (0, 1, True), (0, 7, True), (0, 8, False)]
)
def test_span_is_forward_and_not_longer_than_allowed(start: int, end: int, fits: bool) -> None:
    if fits:
        assert checked_span(start, end, longest_ns=7) == Span(start, end)
    else:
        with pytest.raises(Problem) as caught:
            checked_span(start, end, longest_ns=7)
        assert (caught.value.status, caught.value.code) == (422, "span")


@pytest.mark.parametrize(
    ("longest_ns", "said"), [(7 * DAY_NS, "7 days"), (2 * HOUR_NS, "2 hours"), (HOUR_NS // 2, "0.5 hours")]
)
def test_refusal_names_the_longest_span(longest_ns: int, said: str) -> None:
    with pytest.raises(Problem) as caught:
        checked_span(0, longest_ns + 1, longest_ns=longest_ns)
    assert said in caught.value.title


def test_span_as_json() -> None:
    assert span_json(Span(0, 1_500_000_000)) == {"start": "1970-01-01T00:00:00.000Z", "end": "1970-01-01T00:00:01.500Z"}
