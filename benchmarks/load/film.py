"""A few seconds of noisy gym, coded once: what all simulated cameras replay. Seeded: the same film every time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from demo.video.canvas import Canvas
from demo.video.encoder import AccessUnit, Encoder, EncoderSettings
from demo.video.pictures import Scene
from domain.time import NS

FPS = 25
GOP = 50
SIZE = (1920, 1080)
_NOISE = 14  # of 255; it lets the coder spend the bit rate that was asked for
_PATTERNS = 7


def film(bit_rate: int, seconds: int, *, size: tuple[int, int] = SIZE, seed: int = 5) -> list[AccessUnit]:
    """Whole groups of pictures, 25 a second, key pictures every two seconds."""
    settings = EncoderSettings(size=size, fps=Fraction(FPS), bit_rate=bit_rate, gop_frames=GOP)
    scene, canvas, encoder = Scene(0, "Bench", size), Canvas(*size), Encoder(settings, 0)
    random = np.random.default_rng(seed)
    shape = (size[1] - size[1] // 4, size[0])
    noise = [random.integers(0, _NOISE, shape, np.uint8) for _ in range(_PATTERNS)]
    units: list[AccessUnit] = []
    for index in range(seconds * FPS):
        at_ns = index * NS // FPS
        scene.draw(canvas, at_ns)
        lower = canvas.luma[size[1] // 4 :]
        np.add(lower, noise[index % _PATTERNS], out=lower)
        units += encoder.encode(canvas.frame, index, at_ns // 1_000_000)
    return units + encoder.flush()


def write_film(path: Path, units: list[AccessUnit]) -> None:
    """As an H.264 byte stream, which ``demo.rtsp_server --file`` replays."""
    path.write_bytes(b"".join(unit.annex_b for unit in units))
