"""Small films in memory: pictures as arrays in, an MP4 out."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

TICKS = 90_000


def film(
    pictures: Iterable[Any], pts: Iterable[int], *, codec: str = "libx264", sound: bool = False, lossless: bool = False
) -> bytes:
    """``pictures``: samples in 4:2:0, as ``to_ndarray(format="yuv420p")`` has them; ``pts`` in 90 kHz."""
    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4", options={"video_track_timescale": str(TICKS)}) as container:
        stream: Any = None
        heard: Any = container.add_stream("aac", rate=8000, layout="mono") if sound else None
        for picture, at in zip(pictures, pts, strict=False):
            if stream is None:
                stream = container.add_stream(codec, rate=10)
                stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0] * 2 // 3, "yuv420p"
                stream.codec_context.time_base = Fraction(1, TICKS)
                stream.options = (
                    {"qp": "0"} if lossless else {"x265-params": "log-level=none"} if "265" in codec else {}
                )
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="yuv420p")
            frame.pts, frame.time_base = at, Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        if heard is not None:
            quiet = av.AudioFrame.from_ndarray(np.ones((1, 4096), np.float32), format="fltp", layout="mono")
            quiet.sample_rate, quiet.pts = 8000, 0
            container.mux([*heard.encode(quiet), *heard.encode(None)])
        container.mux(stream.encode(None))
    return sink.getvalue()


def walker(count: int, size: tuple[int, int] = (320, 192), *, still: int = 0) -> list[Any]:
    """A dark block crosses a textured room from left to right, once it has stood ``still`` frames outside."""
    width, height = size
    room = np.random.default_rng(3).integers(90, 140, (height * 3 // 2, width), np.uint8)
    room[height:] = 128
    made = []
    for number in range(count):
        picture = room.copy()
        at = (number - still) * 4
        if number >= still and at < width - 24:
            picture[60:140, at : at + 24] = 20
        made.append(picture)
    return made


def decoded(data: bytes) -> list[Any]:
    """All pictures, in 4:2:0."""
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]


def probed(data: bytes, folder: Path) -> tuple[list[str], list[int]]:
    """ffprobe's word: the kinds of streams, and the times of pictures in ticks."""
    path = folder / "probed.mp4"
    path.write_bytes(data)
    command = [
        "ffprobe",
        "-v",
        "error",
        "-show_entries",
        "stream=codec_name:frame=pts,media_type",
        "-of",
        "json",
        str(path),
    ]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    path.unlink()
    names = [stream["codec_name"] for stream in said["streams"]]
    return names, [frame["pts"] for frame in said["frames"] if frame["media_type"] == "video"]
