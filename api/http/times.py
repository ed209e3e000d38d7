"""Times at the edge: RFC 3339 with an offset outside, UTC nanoseconds inside."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BeforeValidator, WithJsonSchema

from api.http.problems import Problem
from domain.time import DAY_NS, LATEST_NS, Span, from_iso, to_iso

# In an address an unescaped "+" arrives as a blank: 12:00:00+02:00 becomes 12:00:00 02:00.
_LOST_PLUS: Final = re.compile(r" (\d\d:?\d\d)$")


def parse_instant(value: Any) -> int:
    """ValueError with a sentence for the person who typed it."""
    try:
        time_ns = from_iso(_LOST_PLUS.sub(r"+\1", str(value)))
    except (ValueError, OverflowError):
        raise ValueError("a time like 2026-11-22T06:31:04Z or 2026-11-22T08:31:04+02:00, with its offset") from None
    if not 0 <= time_ns < LATEST_NS:
        raise ValueError("a time between 1970 and 2200")
    return time_ns


Instant = Annotated[
    int, BeforeValidator(parse_instant), WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation")
]
Start = Annotated[Instant, Query(description="Inclusive.")]
End = Annotated[Instant, Query(description="Exclusive.")]


def checked_span(start_ns: int, end_ns: int, *, longest_ns: int) -> Span:
    """Return the span. Problem 422: it is empty, reversed, or too long for one answer."""
    if end_ns <= start_ns:
        raise Problem(422, "span", "The end is not after the start.", "Give an end after the start.")
    if end_ns - start_ns > longest_ns:
        days, rest = divmod(longest_ns, DAY_NS)
        most = f"{days} days" if days else f"{rest / 3.6e12:g} hours"
        raise Problem(422, "span", f"The span is longer than {most}.", "Ask for several shorter ones.")
    return Span(start_ns, end_ns)


def span_json(span: Span) -> dict[str, str]:
    """``{"start": ..., "end": ...}``"""
    return {"start": to_iso(span.start_ns), "end": to_iso(span.end_ns)}
