"""Time: UTC Unix nanoseconds as int, half-open spans. Local time exists only where a person reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

NS = 1_000_000_000
MINUTE_NS = 60 * NS
HOUR_NS = 3600 * NS
DAY_NS = 24 * HOUR_NS
LATEST_NS = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp()) * NS  # a later time is a typing error

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAP_SECOND = re.compile(r"^(\d{4}-\d{2}-\d{2}.\d{2}:\d{2}:)60(?!\d)")


def seconds_to_ns(seconds: float) -> int:
    """Seconds (configuration, reports) to whole nanoseconds."""
    return round(seconds * NS)


def hour_of(time_ns: int) -> int:
    """Start of the UTC hour that holds ``time_ns``."""
    return time_ns - time_ns % HOUR_NS


def day_of(time_ns: int) -> int:
    """Start of the UTC day that holds ``time_ns``."""
    return time_ns - time_ns % DAY_NS


def day_name(time_ns: int) -> str:
    """The UTC day as ``YYYYMMDD``."""
    return datetime.fromtimestamp(time_ns // NS, tz=UTC).strftime("%Y%m%d")


def to_iso(time_ns: int) -> str:
    """RFC 3339 in UTC with milliseconds, e.g. ``2026-11-22T06:31:04.120Z``. Truncates."""
    whole, rest = divmod(time_ns, NS)
    return f"{datetime.fromtimestamp(whole, tz=UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


def from_iso(text: str) -> int:
    """Nanoseconds of an RFC 3339 time with an offset. ValueError without an offset, or for an invalid time.

    ``t`` and ``z`` may be lower case (section 5.6). A leap second (``:60``) is the second after it, as in Unix time.
    """
    plain, leaps = _LEAP_SECOND.subn(r"\g<1>59", text)
    moment = datetime.fromisoformat(plain.upper())
    if moment.tzinfo is None:
        raise ValueError(f"time without an offset: {text!r}")
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds + leaps) * NS + delta.microseconds * 1000


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open [start_ns, end_ns) in UTC Unix nanoseconds; never negative in length."""

    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if self.end_ns < self.start_ns:
            raise ValueError(f"span ends ({self.end_ns}) before it starts ({self.start_ns})")

    @property
    def duration_ns(self) -> int:
        """Length in nanoseconds."""
        return self.end_ns - self.start_ns

    def overlaps(self, other: Span) -> bool:
        """Whether the two spans share any time; spans that only touch do not."""
        return self.start_ns < other.end_ns and other.start_ns < self.end_ns

    def contains(self, time_ns: int) -> bool:
        """Whether the span holds this time; its end does not belong to it."""
        return self.start_ns <= time_ns < self.end_ns

    def clipped_to(self, other: Span) -> Span | None:
        """The common part, or None where there is none."""
        start, end = max(self.start_ns, other.start_ns), min(self.end_ns, other.end_ns)
        return Span(start, end) if start < end else None


def merge_spans(spans: list[Span]) -> list[Span]:
    """Sorted, with touching and overlapping ones joined."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start_ns <= merged[-1].end_ns:
            merged[-1] = Span(merged[-1].start_ns, max(merged[-1].end_ns, span.end_ns))
        else:
            merged.append(span)
    return merged


def subtract_spans(whole: Span, taken: list[Span]) -> list[Span]:
    """What is left of ``whole`` without ``taken``, in order."""
    left: list[Span] = []
    at = whole.start_ns
    for span in merge_spans(taken):
        if span.start_ns > at and at < whole.end_ns:
            left.append(Span(at, min(span.start_ns, whole.end_ns)))
        at = max(at, span.end_ns)
    if at < whole.end_ns:
        left.append(Span(at, whole.end_ns))
    return left
