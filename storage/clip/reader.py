"""Reads a clip: any byte range of an MP4 whose size is known, opened chunk by chunk, joined on the way."""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.footage import Segment
from domain.ids import SegmentId
from domain.time import NS, Span
from storage.clip.early import Early
from storage.clip.errors import NoFootageError
from storage.clip.flow import Fetch, Flow
from storage.clip.inits import Inits
from storage.clip.opened import Opened, inits_of
from storage.clip.plan import ClipPlan, cut_segment
from storage.clip.walk import index_by_reading
from storage.mp4 import merge_inits, patch_fragment, sidx
from storage.mp4.sidx import ENTRIES_MAX
from storage.sealed import PayloadKey, RefusedError, SegmentReader
from storage.store import ObjectStore

TIMESCALE = 90_000
_AT_ONCE = 8
_GULP_BYTES = 1 << 18
_AHEAD = 1  # gulps that are fetched and opened while another one is being sent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """One fragment and where it lies in the clip."""

    opened: Opened
    number: int  # of the fragment in its segment
    at: int
    size: int
    sequence: int
    description_index: int
    shift_ticks: int


class ClipReader:
    """A clip that can be read. Made by ``open()``.

    size_bytes is exact; span is the true one: from a key frame on, whole fragments.

    RefusedError, StoreAwayError and their kin may come out of any method. Nothing of a segment is released before
    its trailer has been verified.
    """

    def __init__(self, camera_codec: str, head: bytes, pieces: Sequence[_Piece], spans: Sequence[Span]) -> None:
        self._head = head
        self._pieces = pieces
        self._ends = [piece.at + piece.size for piece in pieces]
        self.mime = f'video/mp4; codecs="{camera_codec}"'
        self.size_bytes = self._ends[-1]
        self.first_picture_bytes = self._ends[0]  # up to there it is a clip of its own, of one fragment
        self.span = Span(spans[0].start_ns, spans[-1].end_ns)
        self.footage = tuple(spans)  # where there is footage; between them are gaps

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
        return _assemble(opened, reading.result())

    async def stream(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes | memoryview]:
        """Bytes [start, end) of the clip, clamped. The first footage is there before the head is given out."""
        end = self.size_bytes if end is None else min(end, self.size_bytes)
        head = self._head[start:end] if start < len(self._head) else b""
        loads = self._loads(max(start, len(self._head)), end)
        loading: deque[asyncio.Task[list[tuple[_Piece, memoryview]]]] = deque()
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
                for piece, data in read:
                    yield data[max(0, start - piece.at) : end - piece.at]
                while len(under_way) > _AHEAD + 1:
                    await _done(*under_way.pop(0))
            if head:
                yield head
        finally:
            for task in loading:
                task.cancel()
            await asyncio.gather(*loading, return_exceptions=True)
            for flow, opened in under_way:
                await _done(flow, opened)

    def _loads(self, start: int, end: int) -> Iterator[tuple[list[_Piece], Flow]]:
        """What to read at a time, in order, and from which flow: one for each segment. The first bite is small."""
        number = bisect.bisect_right(self._ends, start)
        flow: Flow | None = None
        of: Opened | None = None
        limit = 0
        while number < len(self._pieces) and self._pieces[number].at < end:
            gulp = self._gulp(number, end, limit)
            opened, limit = gulp[0].opened, _GULP_BYTES
            if flow is None or opened is not of:
                last = self._pieces[min(bisect.bisect_left(self._ends, end), len(self._pieces) - 1)]
                flow = opened.flow(gulp[0].number, last.number if last.opened is opened else opened.cut.last)
                of = opened
            yield gulp, flow
            number += len(gulp)

    def _gulp(self, number: int, end: int, limit: int) -> list[_Piece]:
        """Pieces of one segment from ``number`` on, about ``limit`` bytes of them; one at least."""
        first = self._pieces[number]
        gulp: list[_Piece] = []
        for piece in itertools.islice(self._pieces, number, None):
            beyond = piece.at + piece.size - first.at > limit
            if piece.opened is not first.opened or piece.at >= end or (gulp and beyond):
                break
            gulp.append(piece)
        return gulp


async def _done(flow: Flow, opened: Opened) -> None:
    """Of hours of footage no more is kept than of a moment."""
    await flow.close()
    opened.reader.forget()


async def _read(gulp: Sequence[_Piece], flow: Flow) -> list[tuple[_Piece, memoryview]]:
    opened, index = gulp[0].opened, gulp[0].opened.cut.index
    base = index.offset[gulp[0].number]
    stop = index.offset[gulp[-1].number] + gulp[-1].size
    if gulp[0].number == 0 and base == opened.cut.segment.init_size:
        # Its init lies in the same chunk: that it is the one in the clip's head need not be believed.
        whole = await opened.reader.read(0, stop, flow)
        if whole[:base] != opened.init:
            raise RefusedError
        data = whole[base:]
    else:
        data = await opened.reader.read(base, stop, flow)
    read = []
    for piece in gulp:
        at = index.offset[piece.number] - base
        fragment = data[at : at + piece.size]
        patch_fragment(
            fragment,
            sequence=piece.sequence,
            description_index=piece.description_index,
            shift_ticks=piece.shift_ticks,
        )
        read.append((piece, fragment))
    return read


def _assemble(bare: Sequence[Opened], found: Sequence[bytes]) -> ClipReader:
    opened = [replace(item, init=init) for item, init in zip(bare, found, strict=True)]
    inits = list(dict.fromkeys(found))
    start_ns = opened[0].cut.start_ns
    end_ns = opened[-1].cut.end_ns
    merged = merge_inits(inits, (end_ns - start_ns) / NS)
    places = [
        (item, number, inits.index(item.init) + 1)
        for item in opened
        for number in range(item.cut.first, item.cut.last + 1)
    ]
    starts = [item.cut.time_of(number) for item, number, _ in places]
    ticks = [(value - start_ns) * TIMESCALE // NS for value in [*starts, end_ns]]
    sizes = [item.cut.index.size[number] for item, number, _ in places]
    index = b""
    if len(places) <= ENTRIES_MAX:
        keys = [item.cut.index.key[number] for item, number, _ in places]
        index = sidx(TIMESCALE, sizes, [after - before for before, after in itertools.pairwise(ticks)], keys)
    head = merged + index
    pieces = []
    at = len(head)
    for sequence, ((item, number, description), size) in enumerate(zip(places, sizes, strict=True), start=1):
        pieces.append(
            _Piece(
                opened=item,
                number=number,
                at=at,
                size=size,
                sequence=sequence,
                description_index=description,
                shift_ticks=(item.cut.segment.span.start_ns - start_ns) * TIMESCALE // NS,
            )
        )
        at += size
    spans = [Span(item.cut.start_ns, item.cut.end_ns) for item in opened]
    mimes = [item.cut.segment.codec.mime for item in opened]
    return ClipReader(next((mime for mime in mimes if "," in mime), mimes[0]), head, pieces, spans)
