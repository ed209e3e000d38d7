"""Commit one segment's row, and settle it: the SQL functions ``commit_segment()`` and ``settle_segment()``.

A commit changes nothing that is there already. Settling does, by a role that has verified the row's trailer.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import asyncpg

from domain.errors import StorageError
from domain.footage import Segment, SegmentState
from domain.ids import SegmentId
from runtime import sql
from storage.catalogue.errors import ContestedIdError, LeaseNotHeldError, SegmentConflictError
from storage.catalogue.rows import segment_to_arguments

_PACKAGE: Final = "storage.catalogue"

_KNOWN: Final = "A segment is known already, with other contents."
_ERRORS: Final[dict[str | None, Callable[[], StorageError]]] = {
    "TN001": lambda: SegmentConflictError(_KNOWN, "Run `tallenne reconcile`."),
    "TN002": lambda: LeaseNotHeldError("A segment names a lease that its recorder does not hold."),
    "TN003": lambda: ContestedIdError(_KNOWN, "The custodian is about to verify them."),
}
"""By the SQLSTATE that the functions raise: a class of its own, which PostgreSQL leaves to applications."""


class Commit(StrEnum):
    """Outcome of a commit. In each case the row is durable and the spool file may be deleted."""

    LIVE = "live"
    CONTESTED = "contested"  # its time is accounted for already: shown once the custodian has verified its trailer
    SHADOW = "shadow"  # settled: footage of the same or a higher epoch is shown; kept
    EXPIRED = "expired"  # its hour key is dead: nothing opens it, and the keeper removes the object
    DUPLICATE = "duplicate"  # an earlier attempt committed the same segment


async def commit_row(conn: asyncpg.Connection, segment: Segment) -> Commit:
    """Add the row, or find it there already; its day's partition exists.

    SegmentConflictError, ContestedIdError: the id exists with another size or hash. LeaseNotHeldError. Other driver
    errors pass: ``wrapped_errors()``.
    """
    try:
        return Commit(await conn.fetchval(sql.load(_PACKAGE, "commit_segment"), *segment_to_arguments(segment)))
    except asyncpg.PostgresError as exc:
        make = _ERRORS.get(exc.sqlstate)
        if make is None:
            raise
        raise make() from exc


async def settle_row(
    conn: asyncpg.Connection, segment_id: SegmentId, flaw: str | None, object_name: str
) -> SegmentState | None:
    """Decide about a committed row; ``flaw``: why it is refused, None when its trailer verifies. Repeatable.

    Returns the row's state; CONTESTED when another row has to be settled first. None: there is no such row.
    """
    state = await conn.fetchval(sql.load(_PACKAGE, "settle_segment"), segment_id, flaw, object_name)
    return None if state is None else SegmentState(state)
