"""Accounts in the catalogue for the time before and after imported footage."""

from __future__ import annotations

from typing import Final

import asyncpg

from domain.footage import Gap, GapCause, Segment
from domain.ids import CameraId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import Catalogue, Commit
from storage.catalogue.repairs import commit_verified
from storage.sealed import object_name_of

_PACKAGE: Final = "ingest.importing"
_DETAIL: Final = "not recorded; footage beside it was imported"


class ImportCatalogue(Catalogue):
    """The queries of an import, over the operator's pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self._owner = pool

    async def commit_segment(self, segment: Segment) -> Commit:
        """Add the row and settle it: this process signed the segment itself. Errors as of the catalogue's."""
        return await commit_verified(self._owner, segment, object_name_of(segment))

    async def known_after(self, camera_id: CameraId, span: Span) -> int | None:
        """Return the start of the first footage or gap of the camera after ``span``."""
        return (await self._beside(camera_id, span))[1]

    async def account_beside(self, camera_id: CameraId, span: Span) -> None:
        """Record gaps between ``span`` and the footage or gaps before and after it."""
        before_ns, after_ns = await self._beside(camera_id, span)
        gaps = [(before_ns, span.start_ns), (span.end_ns, after_ns)]
        await self.commit_gaps(
            Gap(camera_id=camera_id, span=Span(start_ns, end_ns), cause=GapCause.STOPPED, detail=_DETAIL)
            for start_ns, end_ns in gaps
            if start_ns is not None and end_ns is not None and start_ns < end_ns
        )

    async def _beside(self, camera_id: CameraId, span: Span) -> tuple[int | None, int | None]:
        with wrapped_errors():
            row = await self._owner.fetchrow(sql.load(_PACKAGE, "known_beside"), camera_id, span.start_ns, span.end_ns)
        return row["before_ns"], row["after_ns"]
