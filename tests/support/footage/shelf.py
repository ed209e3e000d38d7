"""Sealed segments in memory, filmed as ingest does it, and clips that are read from them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

from api.footage import ClipReader, Inits, Prefetch, plan_clip
from domain.footage import FragmentIndex, Segment
from domain.ids import SegmentId
from domain.time import Span
from ingest.access_unit import AccessUnit, SoundFormat
from ingest.media.clock import ticks_to_ns
from ingest.media.fragments import FragmentWriter
from ingest.media.segmenter import Action, Append, Begin, Finish, Segmenter
from storage.sealed import HEADER_SIZE, TRAILER_SIZE, PayloadKey, object_name_of
from tests.support.cameras.sound import sounded
from tests.support.footage.sealed import START_NS, World, finish, new_sealer, new_world, open_object, payload_key_of


@dataclass
class Shelf:
    """Sealed segments in memory, and what was in them."""

    world: World = field(default_factory=new_world)
    objects: dict[str, bytes] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    keys: dict[SegmentId, PayloadKey] = field(default_factory=dict)
    pictures: list[tuple[int, tuple[int, int]]] = field(default_factory=list)  # (shown at, size), by time
    reads: list[int] = field(default_factory=list)
    gets: int = 0

    async def get_range(self, name: str, start: int, end: int) -> bytes:
        self.reads.append(end - start)
        self.gets += 1
        return self.objects[name][start:end]

    async def stream_range(self, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        self.gets += 1
        data = self.objects[name][start:end]
        for at in range(0, len(data), 10_000):
            self.reads.append(len(data[at : at + 10_000]))
            yield data[at : at + 10_000]

    def film(
        self,
        stream: Sequence[AccessUnit],
        start_ns: int = START_NS,
        *,
        segment_s: float = 2.0,
        segment_max_s: float = 30.0,
        pad_every: int = 3,
        codec_size: tuple[int, int] = (320, 192),
        tone: tuple[SoundFormat, list[bytes]] | None = None,
    ) -> int:
        """Through fragments and segmenter as ingest does; where it ends."""
        writer, segmenter = FragmentWriter(), Segmenter(segment_s, segment_max_s)
        made = [item for unit in stream if (item := writer.push(unit))]
        made += iter(writer.flush, None)
        first = made[0].start_ticks
        actions: list[Action] = []
        if tone is not None:
            actions += sounded(made, tone, segmenter, start_ns=start_ns)
        else:
            for item in made:
                begin, end = (start_ns + ticks_to_ns(ticks - first) for ticks in (item.start_ticks, item.end_ticks))
                actions += segmenter.push(item, begin, end)
        actions += segmenter.close()
        parts: list[Append] = []
        begun: Begin | None = None
        for action in actions:
            if isinstance(action, Begin):
                begun, parts = action, []
            elif isinstance(action, Append):
                parts.append(action)
            elif isinstance(action, Finish):
                assert begun is not None
                self._seal(begun, parts, action.end_ns, pad_every)
        shown = sorted(start_ns + ticks_to_ns(unit.pts_ticks - first) for unit in stream)
        self.pictures += [(at, codec_size) for at in shown]
        return self.segments[-1].span.end_ns

    def _seal(self, begin: Begin, parts: list[Append], end_ns: int, pad_every: int) -> None:
        sealer = new_sealer(self.world, start_ns=begin.start_ns)
        data = [sealer.header, *sealer.push(begin.init)]
        index: list[tuple[int, int, int, bool]] = []
        for number, part in enumerate(parts):
            if number % pad_every == 1:
                data += sealer.pad()
            start_ms = (part.start_ns - begin.start_ns) // 1_000_000
            index.append((start_ms, sealer.plain_len, sum(map(len, part.pieces)), part.key))
            data += sealer.push(*part.pieces)
        data.append(finish(self.world, sealer, end_ns=end_ns))
        self.keep(begin, b"".join(data), index, sum(part.frames for part in parts), end_ns)

    def keep(
        self, begin: Begin, data: bytes, index: list[tuple[int, int, int, bool]], frames: int, end_ns: int
    ) -> None:
        key = payload_key_of(data, self.world.hour_private, self.world.recorders)
        columns = list(zip(*index, strict=True)) if index else [(), (), (), ()]
        segment = Segment(
            segment_id=key.segment_id,
            site_id=self.world.site_id,
            camera_id=self.world.camera_id,
            recorder_id=self.world.recorder_id,
            hour_key_id=self.world.hour_key.hour_key_id,
            span=Span(begin.start_ns, end_ns),
            size_bytes=len(data),
            sha256=hashlib.sha256(data).digest(),
            header=data[:HEADER_SIZE],
            codec=begin.codec,
            init_size=len(begin.init),
            frames=frames,
            recovered=False,
            fragments=FragmentIndex(
                start_ms=columns[0],  # type: ignore[arg-type]
                offset=columns[1],  # type: ignore[arg-type]
                size=columns[2],  # type: ignore[arg-type]
                key=columns[3],  # type: ignore[arg-type]
            ),
        )
        self.segments.append(segment)
        self.keys[segment.segment_id] = key
        self.objects[self.name(segment)] = data

    @staticmethod
    def name(segment: Segment) -> str:
        return object_name_of(segment)

    async def clip(self, span: Span, inits: Inits | None = None, *, early: bool = False) -> ClipReader:
        plan = plan_clip(self.segments, span)
        begun = Prefetch.of(plan, self, inits or Inits()) if early else None  # type: ignore[arg-type]
        return await ClipReader.open(plan, self.keys, self, inits=inits, prefetch=begun)  # type: ignore[arg-type]

    def hash_inits(self) -> None:
        """As recorders do since they keep the hash."""
        self.segments = [replace(item, init_sha256=hashlib.sha256(self.init(item)).digest()) for item in self.segments]

    def know_trailers(self) -> None:
        """As recorders do since they keep them beside the row."""
        self.segments = [replace(item, trailer=self.objects[self.name(item)][-TRAILER_SIZE:]) for item in self.segments]

    def init(self, segment: Segment) -> bytes:
        data = self.objects[self.name(segment)]
        return open_object(data, self.world.hour_private, self.world.recorders)[: segment.init_size]


async def read(clip: ClipReader, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([bytes(piece) async for piece in clip.stream(start, end)])


def whole_span(shelf: Shelf) -> Span:
    return Span(shelf.segments[0].span.start_ns, shelf.segments[-1].span.end_ns)
