"""Counters of a recorder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStats:
    """Counters since the start; present sizes and ages. ``problems``: in the form of status files."""

    spool_bytes: int
    spool_max_bytes: int
    pending: int  # finished segments that the object store or the catalogue lacks
    oldest_pending_ns: int | None  # start of the oldest of them
    stored: int  # objects stored, including those that were found in the store
    uploaded: int  # rows committed
    shadows: int  # of these: hidden behind footage of the same or a higher epoch (imports; recorders do not know)
    contested: int  # of these: of a time that was accounted for already; the custodian settles them
    gaps_waiting: bool
    problems: tuple[dict[str, Any], ...]
    gaps_dropped: int = 0  # gaps that could not be written at all: missing time without a row
    damaged: int = 0  # segments set aside since the start
