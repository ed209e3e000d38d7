"""Bookmarks as rows: added, filed under a case, removed, listed. Each change is on record; the note itself is not."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from api.records import Records
from api.sign_in.sessions import Session
from domain.ids import CameraId, StaffId
from domain.time import LATEST_NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

LISTED_MAX: Final = 500
_PACKAGE: Final = "api.bookmarks"
_EVER: Final = Span(0, LATEST_NS)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookmarkRow:
    """What ``display_name`` noted about a moment of a camera. ``case_id``: None where it stands alone."""

    bookmark_id: UUID
    camera_id: CameraId
    at_ns: int
    note: str
    staff_id: StaffId
    display_name: str
    added_ns: int
    case_id: UUID | None


async def listed(
    records: Records,
    cameras: Collection[CameraId],
    *,
    span: Span = _EVER,
    case_id: UUID | None = None,
    bookmark_id: UUID | None = None,
) -> list[BookmarkRow]:
    """The first LISTED_MAX of these cameras, by time; of a case only, or the one. The errors of runtime.database."""
    with wrapped_errors():
        values = list(cameras), span.start_ns, span.end_ns, case_id, bookmark_id, LISTED_MAX
        rows = await records.pool.fetch(sql.load(_PACKAGE, "bookmark_list"), *values)
    return [BookmarkRow(**row) for row in rows]


async def add(
    records: Records, session: Session, purpose_id: UUID, camera_id: CameraId, at_ns: int, note: str
) -> UUID | None:
    """Bookmark a moment; the bookmark's id. None: no footage of the moment can be shown."""
    bookmark_id, now_ns = uuid.uuid4(), records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            await conn.execute(sql.load(_PACKAGE, "bookmark_lock"), str(camera_id))
            values = (bookmark_id, camera_id, at_ns, note, session.staff_id, now_ns)
            if await conn.fetchval(sql.load(_PACKAGE, "bookmark_add"), *values) is None:
                return None
            await _record(records, conn, session, purpose_id, "bookmark_added", bookmark_id, (camera_id, at_ns))
    return bookmark_id


async def file(records: Records, session: Session, purpose_id: UUID, bookmark: BookmarkRow, case_id: UUID) -> bool:
    """List the bookmark in a case. False: the case is not open, or does not keep the moment."""
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            if await conn.fetchval(sql.load(_PACKAGE, "bookmark_file"), bookmark.bookmark_id, case_id) is None:
                return False
            place = (bookmark.camera_id, bookmark.at_ns)
            await _record(
                records, conn, session, purpose_id, "bookmark_filed", bookmark.bookmark_id, place, case_id=str(case_id)
            )
    return True


async def remove(records: Records, session: Session, purpose_id: UUID, bookmark_id: UUID) -> bool:
    """Remove a bookmark of one's own. False: it is not there, or another person's."""
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            row = await conn.fetchrow(sql.load(_PACKAGE, "bookmark_remove"), bookmark_id, session.staff_id)
            if row is None:
                return False
            place = (CameraId(row["camera_id"]), row["at_ns"])
            await _record(records, conn, session, purpose_id, "bookmark_removed", bookmark_id, place)
    return True


async def _record(
    records: Records,
    conn: asyncpg.Connection,
    session: Session,
    purpose_id: UUID,
    action: str,
    bookmark_id: UUID,
    place: tuple[CameraId, int],
    **more: str,
) -> None:
    camera_id, at_ns = place
    entry = audit.Entry(
        actor=session.actor,
        action=action,
        session_id=session.session_id,
        purpose_id=purpose_id,
        camera_id=camera_id,
        span=Span(at_ns, at_ns + 1),
        detail={"bookmark_id": str(bookmark_id), **more},
    )
    await audit.append_in(conn, entry, records.clock_ns())
