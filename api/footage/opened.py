"""A segment of a clip with its key, and the inits of several segments, from which a clip's head is made."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from api.footage.flow import Flow
from api.footage.inits import Inits
from api.footage.plan import Cut
from domain.ids import SegmentId
from storage.sealed import RefusedError, SegmentReader, object_name_of
from storage.store import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A segment of a clip with its key: the fragments to show and the reader that opens them."""

    cut: Cut
    reader: SegmentReader
    store: ObjectStore
    prefetch: Flow | None
    init: bytes = b""

    @property
    def segment_id(self) -> SegmentId:
        """The segment's id."""
        return self.cut.segment.segment_id

    def flow(self, first: int, last: int) -> Flow:
        """Return a flow for fragments ``first`` to ``last``. A prefetched one from there on is returned once."""
        index = self.cut.index
        layout = self.reader.layout
        start, stop = layout.sealed_range(
            index.offset[first], index.offset[last] + index.size[last], last=self.cut.segment.trailer is not None
        )
        if self.prefetch is not None and self.prefetch.take(start):
            return self.prefetch
        return Flow(self.store, object_name_of(self.cut.segment), stop=stop, keep=layout.sealed_chunk_size)


async def inits_of(opened: Sequence[Opened], known: Inits, limit: asyncio.Semaphore) -> list[bytes]:
    """Return each segment's init, reading each unknown one once. RefusedError."""
    found: dict[bytes | SegmentId, bytes] = {}
    unread: dict[bytes | SegmentId, Opened] = {}
    for item in opened:
        init = known.get(item.cut.segment.camera_id, item.cut.segment.init_sha256)
        if init is not None:
            found[_mark(item)] = init
        else:
            unread.setdefault(_mark(item), item)

    async def read(item: Opened) -> bytes:
        async with limit:
            return await _read(item, known)

    async with asyncio.TaskGroup() as group:
        tasks = {mark: group.create_task(read(item)) for mark, item in unread.items()}
    found |= {mark: task.result() for mark, task in tasks.items()}
    return [found[_mark(item)] for item in opened]


def _mark(item: Opened) -> bytes | SegmentId:
    """Return what segments with the same init have in common, by their rows."""
    return item.cut.segment.init_sha256 or item.cut.segment.segment_id


async def _read(item: Opened, known: Inits) -> bytes:
    segment = item.cut.segment
    init = bytes(await item.reader.read(0, segment.init_size))
    item.reader.forget()
    if segment.init_sha256 is not None:
        if hashlib.sha256(init).digest() != segment.init_sha256:
            raise RefusedError
        known.put(segment.camera_id, segment.init_sha256, init)
    return init
