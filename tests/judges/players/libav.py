"""libav: the ``ffmpeg`` command as people use it, and PyAV as a player is written with it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from tests.judges.picture import NOTHING, Look, read
from tests.judges.rule import TICK_S


def missing() -> str:
    return "" if shutil.which("ffmpeg") else "ffmpeg is not installed"


def seek_before_input(clip: Path, times: Sequence[float]) -> list[Look]:
    """``ffmpeg -ss T -i FILE -frames:v 1``: the first picture at T or later."""
    return [_first(["-ss", f"{at_s:.6f}", "-i", str(clip)]) for at_s in times]


def seek_after_input(clip: Path, times: Sequence[float]) -> list[Look]:
    """``ffmpeg -i FILE -ss T -frames:v 1``: the same, everything before T decoded."""
    return [_first(["-i", str(clip), "-ss", f"{at_s:.6f}"]) for at_s in times]


def _first(arguments: Sequence[str]) -> Look:
    command = ["ffmpeg", "-v", "error", "-nostdin", *arguments]
    command += ["-frames:v", "1", "-f", "image2pipe", "-c:v", "pgm", "-pix_fmt", "gray", "-"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    said = done.stderr.decode(errors="replace").strip().replace("\n", "; ")[:200]
    if not done.stdout:
        return Look(number=None, note=said or NOTHING.note)
    look = read(_pgm(done.stdout))
    return Look(number=look.number, smeared=True, note=f"ffmpeg says: {said}") if said else look


def _pgm(data: bytes) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """A binary PGM as ffmpeg writes it: magic, width and height, maximum, each on a line."""
    _, size, _, body = data.split(b"\n", 3)
    width, height = map(int, size.split())
    return np.frombuffer(body[: width * height], np.uint8).reshape(height, width)


def seek_by_container(clip: Path, times: Sequence[float]) -> list[Look]:
    """``av_seek_frame`` backwards, then decoding until the next picture is later than T."""
    found = []
    with av.open(str(clip)) as container:
        for at_s in times:
            try:
                found.append(_held(container, at_s))
            except av.error.FFmpegError as error:
                found.append(Look(number=None, note=f"libav says: {error}"))
    return found


def _held(container: av.container.InputContainer, at_s: float) -> Look:
    video = container.streams.video[0]
    container.seek(round((at_s + TICK_S) / video.time_base), stream=video, backward=True)  # type: ignore[operator]
    shown: av.VideoFrame | None = None
    for frame in container.decode(video):
        if shown is not None and float(frame.time or 0) > at_s + TICK_S:
            break
        shown = frame
    return NOTHING if shown is None else read(shown.to_ndarray(format="gray").astype(np.uint8, copy=False))
