"""Live looks: each minute of one is on record before its first picture is shown.

The role `live` asks by itself: that `serve` says so shows nothing. An entry stands for the minute that follows it and
for what a viewer begins with, as the span of a look at footage does, so that the members who are tagged in that time
see it among the looks at them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from custodian.audit.record import Record
from custodian.errors import LookRefusedError
from domain.ids import CameraId, SessionId
from domain.time import MINUTE_NS, NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

LIVE_FOR_NS: Final = MINUTE_NS
"""So long one entry stands for; then the look is renewed, or ends."""
LIVE_BEFORE_NS: Final = 20 * NS
"""A viewer begins with the pictures since the last key frame: an entry begins so much earlier (live/settings.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLook:
    """Who watches which camera, and why."""

    session_id: SessionId
    purpose_id: UUID
    camera_id: CameraId


class LiveLooks:
    """``recorded``, ``refused``: how often, since the start."""

    def __init__(self, pool: asyncpg.Pool, record: Record, *, clock_ns: Callable[[], int]) -> None:
        self._pool, self._record, self._clock_ns = pool, record, clock_ns
        self.recorded = self.refused = 0

    async def look(self, look: LiveLook) -> int:
        """Until when (UTC ns) it may be watched, once this is durably on record. LookRefusedError, on record too."""
        now_ns = self._clock_ns()
        span = Span(now_ns - LIVE_BEFORE_NS, now_ns + LIVE_FOR_NS)
        asker = await self._asker(look, now_ns, span)
        if asker is None:
            self.refused += 1
            raise LookRefusedError("There is no such camera.")
        may, staff_id = asker
        entry = audit.Entry(
            actor=f"staff:{staff_id}",
            action="look_live" if may else "look_live_refused",
            session_id=look.session_id,
            purpose_id=look.purpose_id,
            camera_id=look.camera_id,
            span=span,
        )
        await self._record.append(entry)
        if not may:
            self.refused += 1
            raise LookRefusedError("There is no such camera.")
        self.recorded += 1
        return span.end_ns

    async def may(self, look: LiveLook) -> bool:
        """Whether a look that is on record may go on. Not on record itself."""
        now_ns = self._clock_ns()
        asker = await self._asker(look, now_ns, Span(now_ns, now_ns + 1))
        return asker is not None and asker[0]

    async def _asker(self, look: LiveLook, now_ns: int, span: Span) -> tuple[bool, UUID] | None:
        """Whether it is allowed, and the person who asks; None: the purpose is of another session."""
        query = sql.load("custodian", "live_asker")
        with wrapped_errors():
            row = await self._pool.fetchrow(
                query, look.session_id, look.purpose_id, look.camera_id, now_ns, span.start_ns, span.end_ns
            )
        return None if row is None else (bool(row["may"]), row["staff_id"])
