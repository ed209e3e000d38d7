"""Keeps opened clips for a while: a player requests many ranges of one clip, which is planned and opened once.

An entry serves the same session, purpose, action, camera and span only, and never longer than the custodian counts
repeated requests as one look. A dropped entry takes its keys with it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from api.footage import ClipReader
from domain.ids import CameraId, SessionId
from domain.time import MINUTE_NS, Span

PER_SESSION: Final = 16
"""A page may show this many cameras side by side."""
ALTOGETHER: Final = 256
KEPT_NS: Final = 5 * MINUTE_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """A request for footage: who asks, for which purpose, which camera and span."""

    session_id: SessionId
    purpose_id: UUID
    action: str  # "look" or "export"
    camera_id: CameraId
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    opening: asyncio.Task[ClipReader]
    since_ns: int


class ClipCache:
    """Not for several event loops."""

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._kept: OrderedDict[ClipRequest, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    async def reader(self, asked: ClipRequest, open_clip: Callable[[ClipRequest], Awaitable[ClipReader]]) -> ClipReader:
        """Return the clip. Concurrent requests share one opening; a failure is not kept."""
        self._drop_old()
        kept = self._kept.get(asked)
        if kept is None:
            opening = asyncio.create_task(_opened(asked, open_clip), name="open clip")
            kept = self._kept[asked] = _Kept(opening=opening, since_ns=self._clock_ns())
            self._drop_surplus(asked.session_id)
        self._kept.move_to_end(asked)
        try:
            # Shielded: a caller that is cancelled must not take the clip from the others.
            return await asyncio.shield(kept.opening)
        except BaseException:
            if kept.opening.done() and self._kept.get(asked) is kept:
                del self._kept[asked]
            raise

    def clear(self) -> None:
        """Drop all clips, at the end of the role."""
        for kept in self._kept.values():
            kept.opening.cancel()
        self._kept.clear()

    def _drop_old(self) -> None:
        limit_ns = self._clock_ns() - KEPT_NS
        for asked in [asked for asked, kept in self._kept.items() if kept.since_ns <= limit_ns]:
            del self._kept[asked]

    def _drop_surplus(self, session_id: SessionId) -> None:
        own = [asked for asked in self._kept if asked.session_id == session_id]
        for asked in own[:-PER_SESSION]:
            del self._kept[asked]
        while len(self._kept) > ALTOGETHER:
            self._kept.popitem(last=False)


async def _opened(asked: ClipRequest, open_clip: Callable[[ClipRequest], Awaitable[ClipReader]]) -> ClipReader:
    return await open_clip(asked)
