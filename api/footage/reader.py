"""Reads a clip: any byte range of an MP4 of known size, opened chunk by chunk and joined while it is read."""

from __future__ import annotations

import asyncio
import bisect
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from api.footage.assembly import Assembly, Group, assemble
from api.footage.errors import NoFootageError
from api.footage.flow import Fetch
from api.footage.flows import Flows
from api.footage.inits import Inits
from api.footage.opened import Opened, inits_of
from api.footage.plan import ClipPlan, cut_segment
from api.footage.prefetch import Prefetch
from api.footage.walk import index_by_reading
from domain.footage import Segment
from domain.ids import SegmentId
from domain.time import Span
from storage.sealed import PayloadKey, SegmentReader
from storage.store import ObjectStore

_AT_ONCE = 8
_AHEAD = 1  # groups of pictures that are fetched and opened while another one is being sent


class ClipReader:
    """A clip that can be read. Made by ``open()``.

    size_bytes is exact; span is the true one: whole fragments from a key frame on. A fragment of the MP4 is a group of
    pictures, and the index names those that begin with a key frame, so that a player can decode wherever it seeks.

    Every method may raise the errors of the sealed format and of the store. Nothing of a segment is released before its
    trailer has been verified.
    """

    def __init__(self, assembly: Assembly) -> None:
        self._head = assembly.head
        self._groups = assembly.groups
        self._ends = [group.at + group.place.size_bytes for group in self._groups]
        self.mime = f'video/mp4; codecs="{assembly.mime}"'
        self._tail = assembly.tail
        self.size_bytes = self._ends[-1] + len(self._tail)
        self.first_group_bytes = self._ends[0]  # end of the first group: up to there the bytes are a clip by themselves
        self.footage = assembly.spans  # spans with footage; gaps lie between them
        self.span = Span(self.footage[0].start_ns, self.footage[-1].end_ns)

    @classmethod
    async def open(
        cls,
        plan: ClipPlan,
        keys: Mapping[SegmentId, PayloadKey],
        store: ObjectStore,
        *,
        inits: Inits | None = None,
        prefetch: Prefetch | None = None,
    ) -> ClipReader:
        """Read what the clip's head needs. Segments without a key are left out; NoFootageError when nothing is left.

        ``prefetch``: what was fetched of the plan's first segment while the keys were asked for.
        """
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(segment: Segment) -> Opened | None:
            """Return the segment's part of the clip; None without its key or without a picture in the span."""
            key = keys.get(segment.segment_id)
            if key is None:
                return None
            async with limit:
                ours = prefetch if prefetch is not None and prefetch.segment_id == segment.segment_id else None
                fetch = ours.fetch if ours else Fetch(store, segment)
                reader = SegmentReader(key, segment.size_bytes, fetch, trailer=segment.trailer)
                index = segment.fragments or await index_by_reading(reader, segment)
                cut = cut_segment(segment, index, plan.span)
                if cut is None:
                    return None
                return Opened(cut=cut, reader=reader, store=store, prefetch=ours.flow if ours else None)

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
        if prefetch is not None:
            prefetch.settle()
        return cls(assemble([replace(item, init=init) for item, init in zip(opened, reading.result(), strict=True)]))

    def part_end(self, start: int, most_ns: int) -> int:
        """Where an answer from byte ``start`` on ends: it holds at most so much footage, and at least a group."""
        first = min(bisect.bisect_right(self._ends, start), len(self._groups) - 1)
        until_ns = self._groups[first].parts[0].span.start_ns + most_ns
        last = bisect.bisect_right(self._groups, until_ns, lo=first + 1, key=lambda group: group.parts[-1].span.end_ns)
        return self.size_bytes if last == len(self._groups) else self._ends[last - 1]

    async def stream(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes | memoryview]:
        """Yield bytes [start, end) of the clip, clamped. The first footage is fetched before the head is yielded."""
        end = self.size_bytes if end is None else min(end, self.size_bytes)
        head = self._head[start:end] if start < len(self._head) else b""
        waiting = deque(self.groups_in(max(start, len(self._head)), end))
        flows = Flows(waiting)
        loading: deque[tuple[Group, asyncio.Task[bytes]]] = deque()
        try:
            while waiting or loading:
                while waiting and len(loading) <= _AHEAD:
                    group = waiting.popleft()
                    loading.append((group, asyncio.create_task(flows.read(group), name="clip read")))
                group, task = loading[0]
                data = await task
                loading.popleft()
                if head:
                    yield head
                    head = b""
                yield memoryview(data)[max(0, start - group.at) : end - group.at]
                if loading:
                    await flows.close_before(loading[0][0])
            if head:
                yield head
            if end > self._ends[-1]:
                yield self._tail[max(0, start - self._ends[-1]) : end - self._ends[-1]]
        finally:
            for _, task in loading:
                task.cancel()
            await asyncio.gather(*(task for _, task in loading), return_exceptions=True)
            await flows.close_before(None)

    def groups_in(self, start: int, end: int) -> Sequence[Group]:
        """Return the groups that hold bytes [start, end) of the clip."""
        first = bisect.bisect_right(self._ends, start)
        return self._groups[first : bisect.bisect_left(self._ends, end) + 1] if start < end else ()

    def group_before(self, group: Group) -> Group | None:
        """The one before it; None: it is the first."""
        number = bisect.bisect_left(self._ends, group.at)
        return self._groups[number] if group.at > self._groups[0].at else None

    async def read(self, group: Group) -> memoryview:
        """The fragment of the clip that a group is."""
        pieces = [bytes(piece) async for piece in self.stream(group.at, group.at + group.place.size_bytes)]
        return memoryview(b"".join(pieces))
