"""Reads a clip: any byte range of an MP4 whose size is known, opened chunk by chunk, joined on the way."""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace

from api.footage.assembly import Assembly, Group, assemble
from api.footage.errors import NoFootageError
from api.footage.flow import Fetch, Flow
from api.footage.inits import Inits
from api.footage.opened import Opened, inits_of
from api.footage.plan import ClipPlan, cut_segment
from api.footage.prefetch import Early
from api.footage.walk import index_by_reading
from domain.footage import Segment
from domain.ids import SegmentId
from domain.time import Span
from storage.mp4 import join_fragments
from storage.sealed import PayloadKey, RefusedError, SegmentReader
from storage.store import ObjectStore

_AT_ONCE = 8
_GULP_BYTES = 1 << 18
_AHEAD = 1  # gulps that are fetched and opened while another one is being sent


class ClipReader:
    """A clip that can be read. Made by ``open()``.

    size_bytes is exact; span is the true one: from a key frame on, whole fragments. One fragment of the MP4 is a group
    of pictures, and its index names those that begin with a key frame: wherever a player seeks to, it decodes.

    RefusedError, StoreAwayError and their kin may come out of any method. Nothing of a segment is released before
    its trailer has been verified.
    """

    def __init__(self, assembly: Assembly) -> None:
        self._head = assembly.head
        self._groups = assembly.groups
        self._ends = [group.at + group.place.size_bytes for group in self._groups]
        self.mime = f'video/mp4; codecs="{assembly.mime}"'
        self._tail = assembly.tail
        self.size_bytes = self._ends[-1] + len(self._tail)
        self.first_group_bytes = self._ends[0]  # up to there it is a clip of its own, of one group of pictures
        self.footage = assembly.spans  # where there is footage; between them are gaps
        self.span = Span(self.footage[0].start_ns, self.footage[-1].end_ns)

    @classmethod
    async def open(
        cls,
        plan: ClipPlan,
        keys: Mapping[SegmentId, PayloadKey],
        store: ObjectStore,
        *,
        inits: Inits | None = None,
        early: Early | None = None,
    ) -> ClipReader:
        """Read what the clip's head needs. Segments without a key are left out; NoFootageError when nothing is left.

        ``early``: what was fetched of the plan's first segment while the keys were asked for.
        """
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(segment: Segment) -> Opened | None:
            key = keys.get(segment.segment_id)
            if key is None:
                return None
            async with limit:
                ours = early if early is not None and early.segment_id == segment.segment_id else None
                fetch = ours.fetch if ours else Fetch(store, segment)
                reader = SegmentReader(key, segment.size_bytes, fetch, trailer=segment.trailer)
                index = segment.fragments or await index_by_reading(reader, segment)
                cut = cut_segment(segment, index, plan.span)
                if cut is None:
                    return None
                return Opened(cut=cut, reader=reader, store=store, early=ours.flow if ours else None)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(segment)) for segment in plan.segments]
        opened = [item for task in tasks if (item := task.result()) is not None]
        if not opened:
            raise NoFootageError(
                "There is no footage in this span that still opens.", "Its retention may be over; see the timeline."
            )
        # The first segment's trailer is verified here, each other one's before anything of it is released.
        async with asyncio.TaskGroup() as group:
            group.create_task(opened[0].reader.trailer())
            reading = group.create_task(inits_of(opened, inits or Inits(), limit))
        if early is not None:
            early.settle()
        return cls(assemble([replace(item, init=init) for item, init in zip(opened, reading.result(), strict=True)]))

    async def stream(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes | memoryview]:
        """Bytes [start, end) of the clip, clamped. The first footage is there before the head is given out."""
        end = self.size_bytes if end is None else min(end, self.size_bytes)
        head = self._head[start:end] if start < len(self._head) else b""
        loads = self._loads(max(start, len(self._head)), end)
        loading: deque[asyncio.Task[list[tuple[Group, bytes]]]] = deque()
        under_way: list[tuple[Flow, Opened]] = []  # of one segment, or two where one ends
        try:
            while True:
                while len(loading) <= _AHEAD and (load := next(loads, None)) is not None:
                    gulp, flow = load
                    if not under_way or under_way[-1][0] is not flow:
                        under_way.append((flow, gulp[0].opened))
                    loading.append(asyncio.create_task(_read(gulp, flow), name="clip read"))
                if not loading:
                    break
                read = await loading.popleft()
                if head:
                    yield head
                    head = b""
                for group, data in read:
                    yield memoryview(data)[max(0, start - group.at) : end - group.at]
                while len(under_way) > _AHEAD + 1:
                    await _done(*under_way.pop(0))
            if head:
                yield head
            if end > self._ends[-1]:
                yield self._tail[max(0, start - self._ends[-1]) : end - self._ends[-1]]
        finally:
            for task in loading:
                task.cancel()
            await asyncio.gather(*loading, return_exceptions=True)
            for flow, opened in under_way:
                await _done(flow, opened)

    def _loads(self, start: int, end: int) -> Iterator[tuple[list[Group], Flow]]:
        """What to read at a time, in order, and from which flow: one for each segment. The first bite is small."""
        number = bisect.bisect_right(self._ends, start)
        flow: Flow | None = None
        of: Opened | None = None
        limit = 0
        while number < len(self._groups) and self._groups[number].at < end:
            gulp = self._gulp(number, end, limit)
            opened, limit = gulp[0].opened, _GULP_BYTES
            if flow is None or opened is not of:
                last = self._groups[min(bisect.bisect_left(self._ends, end), len(self._groups) - 1)]
                flow = opened.flow(gulp[0].first, last.last if last.opened is opened else opened.cut.last)
                of = opened
            yield gulp, flow
            number += len(gulp)

    def _gulp(self, number: int, end: int, limit: int) -> list[Group]:
        """Groups of one segment from ``number`` on, about ``limit`` bytes of them; one at least."""
        first = self._groups[number]
        gulp: list[Group] = []
        for group in itertools.islice(self._groups, number, None):
            beyond = group.at + group.place.size_bytes - first.at > limit
            if group.opened is not first.opened or group.at >= end or (gulp and beyond):
                break
            gulp.append(group)
        return gulp


async def _done(flow: Flow, opened: Opened) -> None:
    """Of hours of footage no more is kept than of a moment."""
    await flow.close()
    opened.reader.forget()


async def _read(gulp: Sequence[Group], flow: Flow) -> list[tuple[Group, bytes]]:
    opened, index = gulp[0].opened, gulp[0].opened.cut.index
    base = index.offset[gulp[0].first]
    stop = index.offset[gulp[-1].last] + index.size[gulp[-1].last]
    if gulp[0].first == 0 and base == opened.cut.segment.init_size:
        # Its init lies in the same chunk: that it is the one in the clip's head need not be believed.
        whole = await opened.reader.read(0, stop, flow)
        if whole[:base] != opened.init:
            raise RefusedError
        data = whole[base:]
    else:
        data = await opened.reader.read(base, stop, flow)
    read = []
    for group in gulp:
        ranges = ((index.offset[n] - base, index.size[n]) for n in range(group.first, group.last + 1))
        fragments = [data[at : at + size] for at, size in ranges]
        read.append((group, join_fragments(fragments, group.place)))
    return read
