"""The catalogue's side of an import: what lies beside imported footage is accounted for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import asyncpg

from domain.footage import Gap, GapCause
from domain.ids import CameraId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import Catalogue

_PACKAGE: Final = "ingest.importing"
_DETAIL: Final = "not recorded; footage beside it was imported"


class ImportCatalogue(Catalogue):
    """Over the operator's pool."""

    def __init__(self, pool: asyncpg.Pool, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        super().__init__(pool, clock_ns=clock_ns)
        self._owner = pool

    async def known_after(self, camera_id: CameraId, span: Span) -> int | None:
        """When what is known of the camera goes on behind ``span``."""
        return (await self._beside(camera_id, span))[1]

    async def account_beside(self, camera_id: CameraId, span: Span) -> None:
        """Time between ``span`` and what is known before and after it becomes a gap, unless it is one."""
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
