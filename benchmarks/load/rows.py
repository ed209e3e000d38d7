"""Segment rows by the million, made inside PostgreSQL. Nothing in the object store stands behind them."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from benchmarks.frame.stand import SITE_ID
from domain.ids import CameraId
from domain.time import DAY_NS, NS, Span, day_of
from runtime import sql

_PACKAGE = "benchmarks"
SEGMENT_NS = 10 * NS


async def generate_rows(owner: asyncpg.Connection, cameras: Sequence[CameraId], rows: int, end_ns: int) -> Span:
    """About ``rows`` live segments, the same number of each camera, without holes until about ``end_ns``."""
    each = max(1, -(-rows // len(cameras)))
    first = end_ns - end_ns % SEGMENT_NS - each * SEGMENT_NS
    span = Span(first, first + each * SEGMENT_NS)
    at = span.start_ns
    while at < span.end_ns:
        until = min(span.end_ns, day_of(at) + DAY_NS)
        await owner.execute("SELECT ensure_segment_day($1)", at)
        await owner.execute(sql.load(_PACKAGE, "segments_identity"), list(cameras), at, until)
        await owner.execute(sql.load(_PACKAGE, "segments_generate"), list(cameras), at, until, SITE_ID)
        at = until
    await owner.execute("ANALYZE segment")
    await owner.execute("ANALYZE segment_identity")
    return span
