"""The epoch of a segment whose row is lost: no object names it, but the journal names the first segment of each.

From there the chain of trailers leads on: a segment is of the epoch of the one before it. Where the chain is broken,
the newest epoch that had begun by then is taken.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import asyncpg

from domain.ids import CameraId, RecorderId, SegmentId
from runtime import sql
from runtime.database import wrapped_errors
from storage.journal.rows import EpochStart
from upkeep.inspection.objects import Inspected

_PACKAGE: Final = "upkeep.inspection"
_KEPT: Final = 10_000
_FIRST: Final = 1


class Epochs:
    """Give it what the journal knows, then segments in the order of their time."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._firsts: dict[SegmentId, int] = {}
        self._starts: dict[tuple[CameraId, RecorderId], dict[int, int]] = {}  # by epoch: the earliest start
        self._of_trailer: OrderedDict[bytes, int] = OrderedDict()

    def add(self, start: EpochStart) -> None:
        """One more first segment; an epoch may have several, one for each start of the recorder."""
        self._firsts[start.segment_id] = start.epoch
        starts = self._starts.setdefault((start.camera_id, start.recorder_id), {})
        starts[start.epoch] = min(start.start_ns, starts.get(start.epoch, start.start_ns))

    async def epoch_of(self, found: Inspected) -> int | None:
        """None: the journal knows no epoch of this recorder and camera. Raises the database errors."""
        core, trailer = found.header.core, found.trailer
        starts = self._starts.get((core.camera_id, trailer.recorder_id))
        if starts is None:
            return None
        epoch = self._firsts.get(core.segment_id) or self._of_trailer.get(trailer.previous_sha256)
        if epoch is None:
            epoch = await self._from_rows(found)
        if epoch is None:
            begun = [number for number, start_ns in starts.items() if start_ns <= core.start_ns]
            epoch = max(begun, default=_FIRST)
        self._of_trailer[found.trailer_sha256] = epoch
        while len(self._of_trailer) > _KEPT:
            self._of_trailer.popitem(last=False)
        return epoch

    async def _from_rows(self, found: Inspected) -> int | None:
        core, trailer = found.header.core, found.trailer
        with wrapped_errors():
            epoch: int | None = await self._pool.fetchval(
                sql.load(_PACKAGE, "epoch_of_trailer"),
                core.camera_id,
                trailer.recorder_id,
                core.start_ns,
                trailer.previous_sha256,
            )
        return epoch
