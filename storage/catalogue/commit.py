"""Commit one segment's row: the SQL function ``commit_segment()`` and what it answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import asyncpg

from domain.footage import Segment
from runtime import sql
from storage.catalogue.errors import SegmentConflictError
from storage.catalogue.rows import segment_to_arguments

_CONFLICT: Final = "TN001"
"""The SQLSTATE that the function raises: a class of its own, which PostgreSQL leaves to applications."""


class Commit(StrEnum):
    """Outcome of a commit. In each case the row is durable and the spool file may be deleted."""

    LIVE = "live"
    SHADOW = "shadow"  # overlaps a live segment of the same or a higher epoch: kept, not shown
    DUPLICATE = "duplicate"  # an earlier attempt committed the same segment


async def commit_row(conn: asyncpg.Connection, segment: Segment, now_ns: int) -> Commit:
    """Add the row, or find it there already; its day's partition exists.

    SegmentConflictError: the id exists with another size or hash. Other driver errors pass: ``wrapped_errors()``.
    """
    arguments = segment_to_arguments(segment, now_ns)
    try:
        return Commit(await conn.fetchval(sql.load("storage.catalogue", "commit_segment"), *arguments))
    except asyncpg.PostgresError as exc:
        if exc.sqlstate != _CONFLICT:
            raise
        raise SegmentConflictError(
            "A segment is known already, with other contents.", "Run `tallenne reconcile`."
        ) from exc
