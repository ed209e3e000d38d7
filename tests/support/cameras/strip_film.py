"""A film of the demo's pictures, coded, each with its strip and marker."""

from __future__ import annotations

from fractions import Fraction

from demo.video.canvas import Canvas
from demo.video.encoder import AccessUnit, Encoder, EncoderSettings
from demo.video.pictures import Report, Scene
from domain.access import EventKind

START_NS = 1_795_000_000_120_000_000


FPS = Fraction(25, 2)


FRAME_NS = 80_000_000


def film(
    size: tuple[int, int], bit_rate: int, frames: int, b_frames: int = 0, preset: str = "ultrafast"
) -> list[AccessUnit]:
    """A minute's worth of nothing but the room, the clock and three people."""
    scene, canvas = Scene(7, "Entrance", size), Canvas(*size)
    settings = EncoderSettings(size=size, fps=FPS, bit_rate=bit_rate, gop_frames=25, b_frames=b_frames, preset=preset)
    encoder = Encoder(settings, 7)
    scene.react(Report(kind=EventKind.ENTERED, at_ns=START_NS, people=3))
    units: list[AccessUnit] = []
    for index in range(frames):
        now_ns = START_NS + index * FRAME_NS
        scene.draw(canvas, now_ns)
        units += encoder.encode(canvas.frame, index, now_ns // 1_000_000)
    return units + encoder.flush()
