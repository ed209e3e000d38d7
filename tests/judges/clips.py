"""Clips to judge, made as the product makes them: coded pictures, fragments, sealed segments, the clip reader."""

from __future__ import annotations

import asyncio
import fractions
import itertools
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np

from domain.time import NS, Span
from ingest.access_unit import TICKS_PER_S, SoundFormat
from ingest.media.clock import ticks_to_ns
from ingest.rtp.aac import sound_format
from storage.mp4 import full_box
from tests.judges.picture import draw
from tests.judges.rule import Picture, Table
from tests.support.cameras.sound import aac
from tests.support.cameras.video import units
from tests.support.footage.sealed import START_NS, open_object
from tests.support.footage.shelf import Shelf, read, whole_span

SMALL: Final = (320, 192)
LARGE: Final = (480, 288)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One stretch of footage without a gap. gop: pictures; gap_s: before it."""

    seconds: float = 6.0
    fps: float = 25
    gop: int = 50
    b_frames: int = 0
    size: tuple[int, int] = SMALL
    gap_s: float = 0.0
    jitter: float = 0.0  # of the time between two pictures, as a part of it
    codec: str = "libx264"
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """Scenes one after the other, recorded with segments so long. asked_s: which part of it the clip is of."""

    scenes: Sequence[Scene]
    segment_s: float = 4.0
    segment_max_s: float = 30.0
    sound: bool = False
    asked_s: tuple[float, float] | None = None


_EVERYTHING: Final = (
    Scene(b_frames=3, jitter=0.5),
    Scene(gap_s=4, gop=7, b_frames=2, seconds=4),
    Scene(size=LARGE, gop=200, seconds=12, b_frames=2),
    Scene(gap_s=0.6, fps=9, gop=40, jitter=0.9, b_frames=1),
    Scene(fps=2, gop=5),
)

FILMS: Final[dict[str, Film]] = {
    "everything": Film(scenes=_EVERYTHING, segment_s=3, segment_max_s=5),
    "middle": Film(scenes=_EVERYTHING, segment_s=3, segment_max_s=5, asked_s=(5.3, 24.2)),
    "sound": Film(scenes=[Scene(seconds=9, b_frames=3), Scene(gap_s=3)], sound=True),
    "h265": Film(scenes=[Scene(seconds=9, b_frames=3, codec="libx265"), Scene(gap_s=3, codec="libx265")]),
    "plain": Film(scenes=[Scene(seconds=12)]),
    "b_frames": Film(scenes=[Scene(seconds=12, b_frames=3)]),
    "gaps": Film(scenes=[Scene(), Scene(gap_s=5), Scene(gap_s=0.7)]),
    "variable_rate": Film(scenes=[Scene(jitter=0.8), Scene(fps=8, gop=30, jitter=0.5), Scene(fps=2, gop=10)]),
    "short_gops": Film(scenes=[Scene(gop=6)]),
    "long_gops": Film(scenes=[Scene(seconds=20, gop=200)], segment_s=2, segment_max_s=3),
    "other_size": Film(scenes=[Scene(), Scene(size=LARGE), Scene()]),
    "other_delay": Film(scenes=[Scene(), Scene(b_frames=3), Scene(b_frames=1)]),
}
"""The first four have all that a clip can have; the others a thing each, to see by which one a judge is misled."""


def make(film: Film) -> tuple[bytes, Table]:
    """The MP4, and what it must show."""
    shelf, table = filmed(film)
    span = whole_span(shelf)
    if film.asked_s is not None:
        span = Span(*(START_NS + round(at_s * NS) for at_s in film.asked_s))
    mp4, shown = asyncio.run(_read(shelf, span))
    return mp4, table.cut((shown.start_ns - START_NS) / NS, (shown.end_ns - START_NS) / NS)


def filmed(film: Film) -> tuple[Shelf, Table]:
    """The sealed segments, and what they show, in seconds since their beginning."""
    shelf = Shelf()
    pictures: list[Picture] = []
    at_ns, number, delay_s = START_NS, 0, 0.0
    for scene in film.scenes:
        at_ns += round(scene.gap_s * NS)
        times = _times(scene, number)
        stream = coded(scene, times, number)
        end_ns = shelf.film(
            units(stream, "hevc" if scene.codec == "libx265" else "h264"),
            at_ns,
            segment_s=film.segment_s,
            segment_max_s=film.segment_max_s,
            tone=_tone(scene) if film.sound else None,
        )
        pictures += _placed(scene, stream, number, (at_ns - START_NS) / NS, (end_ns - START_NS) / NS)
        at_ns, number, delay_s = end_ns, number + len(times), max(delay_s, _delay_s(stream))
    return shelf, Table(pictures, delay_s)


def as_recorded(film: Film) -> tuple[bytes, Table]:
    """What clips once were: the recorder's fragments of half a second, each an entry of the index.

    ``film``: one scene, one segment.
    """
    shelf, table = filmed(film)
    (segment,) = shelf.segments
    mp4 = open_object(shelf.objects[shelf.name(segment)], shelf.world.hour_private, shelf.world.recorders)
    index = segment.fragments
    assert index is not None
    ends_ms = [*index.start_ms[1:], segment.span.duration_ns // 1_000_000]
    entries = b"".join(
        struct.pack(">III", size, (end - start) * 90, 0x90000000 if key else 0)
        for size, start, end, key in zip(index.size, index.start_ms, ends_ms, index.key, strict=True)
    )
    head = struct.pack(">IIQQHH", 1, TICKS_PER_S, 0, 0, 0, len(index.size))
    fragments = (mp4[at : at + size] for at, size in zip(index.offset, index.size, strict=True))  # no padding
    return b"".join((mp4[: segment.init_size], full_box(b"sidx", 1, 0, head, entries), *fragments)), table


def write(film: Film, path: Path) -> Table:
    """The MP4 at ``path``."""
    mp4, table = make(film)
    path.write_bytes(mp4)
    return table


async def _read(shelf: Shelf, span: Span) -> tuple[bytes, Span]:
    clip = await shelf.clip(span)
    return await read(clip), clip.span


def _tone(scene: Scene) -> tuple[SoundFormat, list[bytes]]:
    config, frames = aac(scene.seconds)
    return sound_format(config), frames


def _times(scene: Scene, seed: int) -> list[int]:
    """When each picture is shown, in ticks from the scene's start."""
    dice, step = random.Random(seed), TICKS_PER_S / scene.fps
    count = round(scene.seconds * scene.fps)
    steps = [round(step * (1 + scene.jitter * dice.uniform(-1, 1))) for _ in range(count)]
    return list(itertools.accumulate(steps[:-1], initial=0))


def _placed(
    scene: Scene, stream: Sequence[tuple[bytes, int, bool]], number: int, start_s: float, end_s: float
) -> list[Picture]:
    keys = {pts for _, pts, key in stream if key}
    ticks = sorted(pts for _, pts, _ in stream)
    starts = [start_s + ticks_to_ns(pts) / NS for pts in ticks]
    return [
        Picture(number=number + place, start_s=begin, end_s=until, key=pts in keys, reordered=scene.b_frames > 0)
        for place, (pts, begin, until) in enumerate(zip(ticks, starts, [*starts[1:], end_s], strict=True))
    ]


def _delay_s(stream: Sequence[tuple[bytes, int, bool]]) -> float:
    """How much later than in the order of decoding the pictures must be shown."""
    decoded = sorted(pts for _, pts, _ in stream)
    return max(at - pts for at, (_, pts, _) in zip(decoded, stream, strict=True)) / TICKS_PER_S


def coded(scene: Scene, times: Sequence[int], number: int) -> list[tuple[bytes, int, bool]]:
    """(Annex B, ticks, key) in decode order."""
    context = av.CodecContext.create(scene.codec, "w")
    context.width, context.height = scene.size
    context.pix_fmt = "yuv420p"
    context.time_base = fractions.Fraction(1, TICKS_PER_S)
    context.framerate = fractions.Fraction(scene.fps).limit_denominator(1000)
    private = "x264-params" if scene.codec == "libx264" else "x265-params"
    gop = f"keyint={scene.gop}:min-keyint={scene.gop}:scenecut=0:open-gop=0:bframes={scene.b_frames}:b-adapt=0"
    context.options = {
        "preset": "ultrafast",
        private: f"{gop}:repeat-headers=1:log-level={0 if scene.codec == 'libx264' else 'none'}{scene.more}",
    }
    found = []
    for place, ticks in enumerate(times):
        found += context.encode(_frame(number + place, scene.size, ticks))
    found += context.encode(None)
    return [(bytes(packet), int(packet.pts or 0), bool(packet.is_keyframe)) for packet in found]


def _frame(number: int, size: tuple[int, int], ticks: int) -> av.VideoFrame:
    planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
    planes[: size[1]] = draw(number, size)
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts, frame.time_base = ticks, fractions.Fraction(1, TICKS_PER_S)
    return frame
