"""Opens clips: reads the rows, makes the plan, gets keys from the custodian, then reads the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import asyncpg
from fastapi import Depends

from api.footage import ClipReader, Inits, Prefetch, begins_with_key, plan_clip, reached_back
from api.footage.cache import ClipCache, ClipRequest
from api.footage.sent import Sent
from api.http.priority import Priority
from api.http.provide import provided
from custodian.client import CustodianClient
from domain.errors import TallenneError
from domain.footage import Segment
from domain.time import MINUTE_NS, Span
from live.client import LiveClient
from storage.catalogue import Catalogue
from storage.store import ObjectStore

_REACH_NS: Final = 3 * MINUTE_NS  # longer than the key frame interval of any sensible camera


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedClip:
    """A clip that can be read, and the sealed segments that it is made of."""

    reader: ClipReader
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """Opens clips and caches them for the next request. The creator closes the parts.

    converter: the role that makes H.264 of what a browser cannot play
    """

    pool: asyncpg.Pool
    store: ObjectStore
    custodian: CustodianClient
    cache: ClipCache
    inits: Inits
    priority: Priority
    sent: Sent
    converter: LiveClient

    async def clip(self, asked: ClipRequest) -> ClipReader:
        """Return the clip, from the cache if it was opened lately. NoFootageError, LookRefusedError, errors of the
        database, the store and the custodian."""
        return await self.cache.reader(asked, self._open)

    async def open(self, asked: ClipRequest) -> OpenedClip:
        """Open a clip past the cache. Errors as of ``clip()``.

        The custodian records the look before it gives a key. The record holds the span that is shown, which begins with
        the key frame at or before the start asked for.
        """
        span, catalogue = asked.span, Catalogue(self.pool)
        segments = await catalogue.segments([asked.camera_id], span)
        if not begins_with_key(segments, span):
            before = Span(max(0, span.start_ns - _REACH_NS), span.end_ns)
            segments = await catalogue.segments([asked.camera_id], before)
            span = reached_back(segments, span)
        plan = plan_clip(segments, span)
        prefetch = Prefetch.of(plan, self.store, self.inits)
        try:
            keys = await self.custodian.open_segments(
                plan.segment_ids,
                session_id=asked.session_id,
                purpose_id=asked.purpose_id,
                action=asked.action,
                camera_id=asked.camera_id,
                span=plan.shown,
            )
            reader = await ClipReader.open(plan, keys, self.store, inits=self.inits, prefetch=prefetch)
        except BaseException as exc:
            if prefetch is not None:
                await prefetch.close()
            if not isinstance(exc, ExceptionGroup):
                raise
            # Several segments are opened at once; the first of our own errors speaks for all.
            mine = next((error for error in exc.exceptions if isinstance(error, TallenneError)), None)
            raise mine or exc from exc
        return OpenedClip(reader=reader, segments=tuple(each for each in plan.segments if each.segment_id in keys))

    async def _open(self, asked: ClipRequest) -> ClipReader:
        return (await self.open(asked)).reader


FootageDep = Annotated[Footage, Depends(provided(Footage))]
