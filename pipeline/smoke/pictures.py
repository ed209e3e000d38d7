"""Every picture of a fetched clip decoded, its strip read, its time compared with what the clip claims."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass

import av
import numpy as np

from demo.video import strip
from domain.time import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    frames: int
    unreadable: int  # pictures without a readable strip
    cameras: frozenset[int]
    error_ms_max: float  # between the strip and the clip's own time
    shown: tuple[tuple[float, int], ...]  # of each: seconds in the clip, strip in ms

    @property
    def steps_ms(self) -> tuple[int, ...]:
        """Between one picture's strip and the next one's."""
        return tuple(after - before for (_, before), (_, after) in itertools.pairwise(self.shown))


def read_pictures(mp4: bytes, span: Span) -> Pictures:
    """``span``: the true span, from the clip's headers. FFmpegError when it does not decode."""
    frames = unreadable = 0
    worst = 0.0
    cameras: set[int] = set()
    shown: list[tuple[float, int]] = []
    with av.open(io.BytesIO(mp4), "r", format="mp4") as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            frames += 1
            luma = frame.to_ndarray(format="gray").astype(np.uint8, copy=False)
            found = strip.read(luma)
            if found is None:
                unreadable += 1
                continue
            time_ms, camera = found
            shown.append((float(frame.time or 0), time_ms))
            cameras.add(camera)
            worst = max(worst, abs(time_ms - (span.start_ns / 1e6 + float(frame.time or 0) * 1000)))
    return Pictures(
        frames=frames,
        unreadable=unreadable,
        cameras=frozenset(cameras),
        error_ms_max=round(worst, 1),
        shown=tuple(shown),
    )
