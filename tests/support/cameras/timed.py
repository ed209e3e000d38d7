"""Coded pictures that say when they were taken, of any times: for whatever has to find the picture of a time."""

from __future__ import annotations

import fractions
from collections.abc import Sequence
from typing import Any, Final

import av
import numpy as np

from demo.video import strip
from ingest.access_unit import TICKS_PER_S
from tests.support.footage.sealed import START_NS

ZERO_MS: Final = START_NS // 1_000_000
"""When every camera begins to film."""
SIZE: Final = (320, 192)
Stream = list[tuple[bytes, int, bool]]  # (Annex B, pts in 90 kHz, key)


def filmed(
    at_ms: Sequence[int], *, number: int = 0, gop: int = 25, b_frames: int = 0, codec: str = "h264", more: str = ""
) -> Stream:
    """Pictures of these times since ZERO_MS, each with its time in its strip. ``more``: the coder's own words."""
    context: Any = av.CodecContext.create("libx264" if codec == "h264" else "libx265", "w")
    context.width, context.height = SIZE
    context.pix_fmt = "yuv420p"
    context.time_base = fractions.Fraction(1, 1000)
    context.framerate = fractions.Fraction(25)
    context.gop_size, context.max_b_frames = gop, b_frames
    words = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:repeat-headers=1:log-level=0{more}"
    context.options = {"preset": "ultrafast", "x264-params" if codec == "h264" else "x265-params": words}
    found = []
    for at in at_ms:
        picture = np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, np.uint8)
        picture[: SIZE[1], at // 20 % SIZE[0] :] = 90
        strip.draw(picture[: SIZE[1]], ZERO_MS + at, number)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = at
        found += context.encode(frame)
    found += context.encode(None)
    ticks = TICKS_PER_S // 1000
    return [(bytes(packet), int(packet.pts or 0) * ticks, bool(packet.is_keyframe)) for packet in found]
