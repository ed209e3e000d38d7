"""What is kept of each camera, until when, and what has ended: for the command, the page and the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from domain.ids import CameraId, SiteId
from runtime import sql
from runtime.database import wrapped_errors

_PACKAGE: Final = "storage.access"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraKept:
    """One camera's footage, counted in hours that hold some."""

    camera_id: CameraId
    site_id: SiteId
    site: str
    camera: str
    retention_s: int  # as the configuration says now
    removed: bool  # no longer in the configuration; its footage is kept to its end
    camera_hours: int
    overdue_hours: int  # whose keys should be destroyed already
    oldest_hour_ns: int | None
    next_expiry_ns: int | None
    last_expiry_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What was made unreadable so far."""

    expired_camera_hours: int
    expired_segments: int
    to_remove_camera_hours: int  # unreadable, and not deleted yet
    to_remove_since_ns: int | None
    certificates: int
    certified_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """An early erasure that is not over. ``state``: asked (waits for a second person) or approved."""

    erasure_id: UUID
    state: str
    cameras: str  # their names
    segments: int  # that would go, or have gone
    asked_ns: int
    cases: str  # numbers of those that keep some of it


async def erasures(conn: asyncpg.Connection | asyncpg.Pool) -> list[Erasing]:
    """Return those that wait for a person or are being carried out. Raises the database errors."""
    with wrapped_errors():
        return [Erasing(**row) for row in await conn.fetch(sql.load(_PACKAGE, "retention_erasures"))]


async def kept(conn: asyncpg.Connection | asyncpg.Pool, now_ns: int) -> list[CameraKept]:
    """Return every camera of the installation, those without footage included. Raises the database errors."""
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "retention_kept"), now_ns)
    return [CameraKept(**row) for row in rows]


async def ended(conn: asyncpg.Connection | asyncpg.Pool) -> Ended:
    """Return the totals. Raises the database errors."""
    with wrapped_errors():
        return Ended(**await conn.fetchrow(sql.load(_PACKAGE, "retention_ended")))
