"""A fetched clip sought at random times, as players do: what is shown must be the picture of the time.

The clip is never on a disk: libav reads it from memory, and ffmpeg by a descriptor of an anonymous file.
"""

from __future__ import annotations

import bisect
import io
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
import numpy.typing as npt

from demo.video import strip

TIMES: Final = 20
_BY_FFMPEG: Final = 4  # of them: a process each
_TICK_S: Final = 1 / 90_000
_ROUNDING_S: Final = 0.001 + _TICK_S  # the clip's index knows a key frame's time to the millisecond
_FFMPEG_S: Final = 30.0

Luma = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeks:
    """by_ffmpeg: how many were by ffmpeg, too (0 without it); unreadable: showed no readable strip, or nothing."""

    times: int
    by_ffmpeg: int
    unreadable: int
    error_ms_max: float


def seek(mp4: bytes, shown: Sequence[tuple[float, int]], seed: int = 1) -> Seeks:
    """``shown``: (seconds in the clip, strip in ms) of every picture, by decoding from the beginning.

    FFmpegError when the clip cannot be sought.
    """
    starts = [time_s for time_s, _ in shown]
    dice = random.Random(seed)
    times = [round(dice.uniform(0, starts[-1]), 3) for _ in range(TIMES)]
    found = [(_by_libav(mp4, at_s), _near(shown, bisect.bisect_right, at_s, -1)) for at_s in times]
    ffmpeg = shutil.which("ffmpeg")
    by_ffmpeg = times[:_BY_FFMPEG] if ffmpeg else []
    for at_s in by_ffmpeg:  # it shows the first picture that begins at the time or later
        found.append((_by_ffmpeg(str(ffmpeg), mp4, at_s), _near(shown, bisect.bisect_left, at_s, 0)))
    errors = [min(abs(strip_ms - due) for due in wanted) for strip_ms, wanted in found if strip_ms is not None]
    return Seeks(
        times=len(times),
        by_ffmpeg=len(by_ffmpeg),
        unreadable=len(found) - len(errors),
        error_ms_max=float(max(errors, default=0)),
    )


def _near(
    shown: Sequence[tuple[float, int]],
    place: Callable[[Sequence[float], float], int],
    at_s: float,
    shift: int,
) -> set[int]:
    """The strips that are right at a time: two of them where one picture ends."""
    starts = [time_s for time_s, _ in shown]
    places = {place(starts, at_s + wide) + shift for wide in (-_ROUNDING_S, 0.0, _ROUNDING_S)}
    return {shown[min(max(0, number), len(shown) - 1)][1] for number in places}


def _by_libav(mp4: bytes, at_s: float) -> int | None:
    """To the key frame before, then decoded until the next picture is later."""
    with av.open(io.BytesIO(mp4), "r", format="mp4") as container:
        video = container.streams.video[0]
        assert video.time_base is not None
        container.seek(round(at_s / video.time_base), stream=video, backward=True)
        last: av.VideoFrame | None = None
        for frame in container.decode(video):
            if last is not None and float(frame.time or 0) > at_s + _TICK_S:
                break
            last = frame
        return None if last is None else _strip_of(last.to_ndarray(format="gray").astype(np.uint8, copy=False))


def _by_ffmpeg(ffmpeg: str, mp4: bytes, at_s: float) -> int | None:
    """``ffmpeg -ss T -i FILE -frames:v 1``."""
    number = os.memfd_create("clip")
    try:
        with open(number, "wb", closefd=False) as file:
            file.write(mp4)
        command = [ffmpeg, "-v", "error", "-nostdin", "-ss", f"{at_s:.3f}", "-i", f"/proc/self/fd/{number}"]
        command += ["-frames:v", "1", "-f", "image2pipe", "-c:v", "pgm", "-pix_fmt", "gray", "-"]
        done = subprocess.run(command, capture_output=True, pass_fds=[number], timeout=_FFMPEG_S, check=False)
    finally:
        os.close(number)
    return _strip_of(_pgm(done.stdout)) if done.stdout else None


def _pgm(data: bytes) -> Luma:
    """A binary PGM as ffmpeg writes it: magic, width and height, maximum, each on a line."""
    _, size, _, body = data.split(b"\n", 3)
    width, height = map(int, size.split())
    return np.frombuffer(body[: width * height], np.uint8).reshape(height, width)


def _strip_of(luma: Luma) -> int | None:
    found = strip.read(luma)
    return None if found is None else found[0]
