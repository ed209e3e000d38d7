"""Repairs of the catalogue, each in one transaction: restore the row of an object, or mark a row's object as gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import asyncpg

from domain.footage import Gap, GapCause, Segment
from domain.ids import CameraId, SegmentId
from domain.time import Span, day_of
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.catalogue.commit import Commit, commit_row, settle_row
from storage.catalogue.rows import gap_pieces

_PACKAGE: Final = "storage.catalogue"


async def commit_verified(pool: asyncpg.Pool, segment: Segment, object_name: str) -> Commit:
    """Commit and settle a row whose signature the caller answers for. Repeatable.

    SegmentConflictError, ContestedIdError: the id exists with another size or hash.
    """
    with wrapped_errors():
        async with pool.acquire() as conn, conn.transaction():
            return await _commit_verified(conn, segment, object_name)


async def restore_segment(pool: asyncpg.Pool, segment: Segment, object_name: str) -> Commit:
    """Commit and settle a row that was rebuilt from its object, which does not know its epoch. Repeatable.

    It takes the epoch that its recorder had begun by then, as far as the catalogue knows. Errors as of
    ``commit_verified()``.
    """
    with wrapped_errors():
        async with pool.acquire() as conn, conn.transaction():
            who = segment.camera_id, segment.recorder_id, segment.span.start_ns
            epoch = await conn.fetchval(sql.load(_PACKAGE, "epoch_at"), *who)
            return await _commit_verified(conn, replace(segment, epoch=epoch), object_name)


async def _commit_verified(conn: asyncpg.Connection, segment: Segment, object_name: str) -> Commit:
    await conn.execute(sql.load(_PACKAGE, "ensure_segment_day"), day_of(segment.span.start_ns))
    commit = await commit_row(conn, segment)
    if commit in (Commit.DUPLICATE, Commit.EXPIRED):
        return commit
    state = await settle_row(conn, segment.segment_id, None, object_name)
    return Commit.CONTESTED if state is None else Commit(state)


async def set_gone(pool: asyncpg.Pool, segment_id: SegmentId, camera_id: CameraId, span: Span, detail: str) -> bool:
    """Set a row whose object is missing or changed to ``gone``, and put a gap in its place if it was live.

    ``detail``: the gap's. False: the row was neither live nor shadow, and nothing changed.
    """
    with wrapped_errors():
        async with pool.acquire() as conn, conn.transaction():
            before = await conn.fetchval(sql.load(_PACKAGE, "set_gone"), segment_id, span.start_ns)
            if before is None:
                return False
            if before == "live":
                await conn.execute(sql.load(_PACKAGE, "tell_indexer"), segment_id)
                await _add_gap(conn, Gap(camera_id=camera_id, span=span, cause=GapCause.QUARANTINED, detail=detail))
            hit("reconcile.gone")
    return True


async def _add_gap(conn: asyncpg.Connection, gap: Gap) -> None:
    pieces = list(gap_pieces(gap))
    await conn.execute(
        sql.load(_PACKAGE, "commit_gaps"),
        [piece.camera_id for piece in pieces],
        [piece.span.start_ns for piece in pieces],
        [piece.span.end_ns for piece in pieces],
        [piece.cause.value for piece in pieces],
        [piece.detail for piece in pieces],
    )
