"""A few seconds of video, coded and packetized once, to be replayed for any number of cameras."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.bitstream import BitStreamFilterContext

from demo.errors import DemoMisuseError
from demo.rtsp.packets import Packets, packetize_in_bursts
from demo.video.canvas import Canvas
from demo.video.encoder import (
    CLOCK_RATE,
    AccessUnit,
    Encoder,
    EncoderSettings,
    marked,
    parameter_sets,
    split_annex_b,
)
from demo.video.marker import MARKER
from demo.video.pictures import Scene

BURST_PACKETS: Final = 64
_NOISE: Final = 14
_NOISE_PATTERNS: Final = 7


@dataclass(frozen=True, slots=True)
class Step:
    """Packets that leave together, ``due_ticks`` (90 kHz) after the loop's beginning."""

    due_ticks: int
    rtp_ticks: int
    packets: Packets


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    steps: tuple[Step, ...]
    ticks: int  # of a whole round
    frames: int
    fps: Fraction
    sps: bytes
    pps: bytes

    @property
    def bit_rate(self) -> int:
        """What goes over the wire, framing and headers included."""
        return sum(len(step.packets.buffer) for step in self.steps) * 8 * CLOCK_RATE // self.ticks

    def step_at(self, ticks: int) -> int:
        """Index of the first step due at or after ``ticks``; may be one past the last."""
        return bisect_left(self.steps, ticks, key=lambda step: step.due_ticks)


def record(settings: EncoderSettings, seconds: float, burst: int = BURST_PACKETS) -> Loop:
    """Film the gym with a noisy camera, in whole groups of pictures: noise lets the coder spend the asked bit rate.

    What the pictures show (clock, strip) is the time of filming; the marker is brought up to date when they are sent.
    """
    groups = max(1, round(Fraction(seconds) * settings.fps / settings.gop_frames))
    frames = groups * settings.gop_frames
    scene, canvas, encoder = Scene(0, "Loop", settings.size), Canvas(*settings.size), Encoder(settings, 0)
    patterns = _noise(settings.size)
    start_ns = time.time_ns()
    units: list[AccessUnit] = []
    for index in range(frames):
        now_ns = start_ns + round(index * 1_000_000_000 / settings.fps)
        scene.draw(canvas, now_ns)
        lower = canvas.luma[canvas.luma.shape[0] // 4 :]
        np.add(lower, patterns[index % _NOISE_PATTERNS], out=lower)
        units += encoder.encode(canvas.frame, index, now_ns // 1_000_000)
    return assemble(units + encoder.flush(), settings.fps, burst)


def from_file(path: Path, settings: EncoderSettings, burst: int = BURST_PACKETS) -> Loop:
    """Replay a file: H.264 as it is, anything else coded anew with ``settings``."""
    try:
        with av.open(path) as container:
            stream = container.streams.video[0]
            fps = Fraction(stream.average_rate or settings.fps)
            if stream.codec_context.name == "h264":
                return assemble(_remuxed(container, stream, fps), fps, burst)
            return assemble(_coded_anew(container, stream, settings), settings.fps, burst)
    except (av.FFmpegError, IndexError) as error:
        raise DemoMisuseError(f"{path} holds no video that can be read.") from error


def assemble(units: Iterable[AccessUnit], fps: Fraction, burst: int) -> Loop:
    """Packets with their times. Large pictures are spread in bursts over half of a picture's time."""
    kept = list(units)
    while kept and not kept[0].key:
        kept.pop(0)
    sets = parameter_sets(kept[0].nals) if kept else None
    if sets is None:
        raise DemoMisuseError("A loop without a key picture that carries its parameter sets.")
    interval, first = round(CLOCK_RATE / fps), kept[0].dts_ticks
    steps = []
    for unit in kept:
        parts = packetize_in_bursts(unit.nals, key=unit.key, packets=burst)
        for place, packets in enumerate(parts):
            due = unit.dts_ticks - first + place * interval // (2 * len(parts))
            steps.append(Step(due, unit.pts_ticks - first, packets))
    ticks = kept[-1].dts_ticks - first + interval
    return Loop(steps=tuple(steps), ticks=ticks, frames=len(kept), fps=fps, sps=sets[0], pps=sets[1])


def _noise(size: tuple[int, int]) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """To be added to the lower three quarters; never takes a sample of the scene out of 0..255."""
    generator = np.random.default_rng(5)
    shape = (size[1] - size[1] // 4, size[0])
    return [generator.integers(0, _NOISE, shape, np.uint8) for _ in range(_NOISE_PATTERNS)]


def _remuxed(container: av.container.InputContainer, stream: av.VideoStream, fps: Fraction) -> Iterator[AccessUnit]:
    bare = BitStreamFilterContext("h264_mp4toannexb", stream)
    index = 0
    for packet in container.demux(stream):
        for out in bare.filter(packet if packet.size else None):
            nals = [nal for nal in split_annex_b(bytes(out)) if MARKER not in nal]
            by_index = round(index * CLOCK_RATE / fps)
            yield AccessUnit(
                nals=marked(nals, 0, 0),
                key=out.is_keyframe,
                pts_ticks=by_index if out.pts is None else round(out.pts * out.time_base * CLOCK_RATE),
                dts_ticks=by_index if out.dts is None else round(out.dts * out.time_base * CLOCK_RATE),
                time_ms=0,
            )
            index += 1


def _coded_anew(
    container: av.container.InputContainer, stream: av.VideoStream, settings: EncoderSettings
) -> Iterator[AccessUnit]:
    encoder = Encoder(settings, 0)
    for index, frame in enumerate(container.decode(stream)):
        yield from encoder.encode(frame.reformat(*settings.size, format="yuv420p"), index, 0)
    yield from encoder.flush()
