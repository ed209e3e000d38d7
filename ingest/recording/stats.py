"""What a recorder says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStats:
    """Counters since the start; sizes and ages now. ``problems``: as status files want them."""

    spool_bytes: int
    spool_max_bytes: int
    pending: int  # finished segments that the object store or the catalogue does not have yet
    oldest_pending_ns: int | None  # start of the oldest of them
    stored: int  # objects put, those found there already included
    uploaded: int  # rows committed
    shadows: int  # of them: hidden behind footage of the same or a higher epoch
    gaps_waiting: bool
    problems: tuple[dict[str, Any], ...]
    gaps_dropped: int = 0  # gaps that could be written nowhere: time that is missing without a row
    damaged: int = 0  # segments set aside since the start
