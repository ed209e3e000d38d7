"""Reads a clip: any byte range of an MP4 whose size is known, opened chunk by chunk, joined on the way."""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from domain.ids import SegmentId
from domain.time import NS, Span
from storage.clip.errors import NoFootageError
from storage.clip.plan import ClipPlan, Cut, cut_segment
from storage.clip.walk import index_by_reading
from storage.mp4 import merge_inits, patch_fragment, sidx
from storage.mp4.sidx import ENTRIES_MAX
from storage.sealed import PayloadKey, SegmentReader, object_name
from storage.store import ObjectStore

TIMESCALE = 90_000
_AT_ONCE = 8
_GULP_BYTES = 1 << 20
_AHEAD = 1  # gulps that are fetched and opened while another one is being sent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    cut: Cut
    reader: SegmentReader
    init: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """One fragment and where it lies in the clip."""

    opened: _Opened
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
    async def open(cls, plan: ClipPlan, keys: Mapping[SegmentId, PayloadKey], store: ObjectStore) -> ClipReader:
        """Read the segments' inits. Segments without a key are left out; NoFootageError when nothing is left."""
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int) -> _Opened | None:
            async with limit:
                segment = plan.segments[number]
                key = keys.get(segment.segment_id)
                if key is None:
                    return None
                reader = SegmentReader(key, segment.size_bytes, _Fetch(store, plan, number))
                index = segment.fragments or await index_by_reading(reader, segment)
                cut = cut_segment(segment, index, plan.span)
                if cut is None:
                    return None
                return _Opened(cut=cut, reader=reader, init=bytes(await reader.read(0, segment.init_size)))

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number)) for number in range(len(plan.segments))]
        opened = [item for task in tasks if (item := task.result()) is not None]
        if not opened:
            raise NoFootageError(
                "There is no footage in this span that still opens.", "Its retention may be over; see the timeline."
            )
        return _assemble(opened)

    async def stream(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes | memoryview]:
        """Bytes [start, end) of the clip, clamped."""
        end = self.size_bytes if end is None else min(end, self.size_bytes)
        if start < min(end, len(self._head)):
            yield self._head[start : min(end, len(self._head))]
        number = bisect.bisect_right(self._ends, max(start, len(self._head)))
        loading: deque[asyncio.Task[list[tuple[_Piece, memoryview]]]] = deque()
        try:
            while True:
                while len(loading) <= _AHEAD and number < len(self._pieces) and self._pieces[number].at < end:
                    gulp = self._gulp(number, end)
                    loading.append(asyncio.create_task(_read(gulp), name="clip read"))
                    number += len(gulp)
                if not loading:
                    return
                for piece, data in await loading.popleft():
                    yield data[max(0, start - piece.at) : end - piece.at]
        finally:
            for task in loading:
                task.cancel()
            await asyncio.gather(*loading, return_exceptions=True)

    def _gulp(self, number: int, end: int) -> list[_Piece]:
        """Pieces of one segment from ``number`` on, about a mebibyte of them."""
        first = self._pieces[number]
        gulp: list[_Piece] = []
        for piece in itertools.islice(self._pieces, number, None):
            beyond = piece.at + piece.size - first.at > _GULP_BYTES
            if piece.opened is not first.opened or piece.at >= end or (gulp and beyond):
                break
            gulp.append(piece)
        return gulp


class _Fetch:
    """Ranges of one segment's object."""

    def __init__(self, store: ObjectStore, plan: ClipPlan, number: int) -> None:
        segment = plan.segments[number]
        self._store = store
        self._name = object_name(
            site_id=segment.site_id,
            camera_id=segment.camera_id,
            segment_id=segment.segment_id,
            start_ns=segment.span.start_ns,
        )

    async def __call__(self, start: int, end: int) -> bytes:
        return await self._store.get_range(self._name, start, end)


async def _read(gulp: Sequence[_Piece]) -> list[tuple[_Piece, memoryview]]:
    opened, index = gulp[0].opened, gulp[0].opened.cut.index
    base = index.offset[gulp[0].number]
    data = await opened.reader.read(base, index.offset[gulp[-1].number] + gulp[-1].size)
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


def _assemble(opened: Sequence[_Opened]) -> ClipReader:
    inits = list(dict.fromkeys(item.init for item in opened))
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
    return ClipReader(opened[0].cut.segment.codec.mime, head, pieces, spans)
