"""The decoding process: a clip comes in, a small JPEG goes out. It can do nothing else (runtime/sandbox/decoder.py).

Run as ``python -m api.footage.thumbnail.worker``: on its standard input and output a length (4 bytes,
big-endian) and so many bytes; an answer of length 0 means that there is no picture in it. It ends with its input.
Before all it says in the same form what confines it.
"""

from __future__ import annotations

import io
import json
import sys
from fractions import Fraction
from typing import BinaryIO, Final

import av
import av.subtitles.stream  # libav imports it late, when files are out of reach
from av.container import InputContainer
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from api.footage.thumbnail.pipe import LENGTH, REQUEST
from runtime.sandbox.decoder import confine

WIDTH: Final = 320
_PIXELS_MAX: Final = 7680 * 4320
_QUALITY: Final = 4  # mjpeg's scale: 2 is best, 31 is worst


def main() -> None:
    """Until the input ends."""
    held = json.dumps(confine().dump()).encode()
    sys.stdout.buffer.write(LENGTH.pack(len(held)) + held)
    sys.stdout.buffer.flush()
    answer(sys.stdin.buffer, sys.stdout.buffer)


def answer(source: BinaryIO, sink: BinaryIO) -> None:
    """One picture after another."""
    while head := source.read(REQUEST.size):
        length, at_us = REQUEST.unpack(head)
        made = thumbnail(source.read(length), at_us)
        sink.write(LENGTH.pack(len(made)) + made)
        sink.flush()


def thumbnail(clip: bytes, at_us: int = 0) -> bytes:
    """JPEG, 320 wide, of the picture that is shown at a time of the clip; empty when there is none that can be decoded.

    at_us: microseconds from the clip's start. The clip begins with a key frame and should end soon after that time.
    """
    try:
        with av.open(io.BytesIO(clip), format="mp4") as container:
            assert isinstance(container, InputContainer)
            stream = container.streams.video[0]
            if stream.width * stream.height > _PIXELS_MAX:
                return b""
            return _jpeg(_picture_at(container, stream, Fraction(at_us, 1_000_000)))
    except (FFmpegError, ValueError, IndexError, MemoryError, StopIteration, EOFError):
        return b""


def _picture_at(container: InputContainer, stream: VideoStream, at_s: Fraction) -> VideoFrame:
    """The last picture that is shown at or before the time: each one refers to those from the key frame on."""
    stream.codec_context.thread_count = 2
    found: VideoFrame | None = None
    for frame in container.decode(stream):
        if frame.pts is not None and frame.time_base is not None and frame.pts * frame.time_base > at_s:
            break
        found = frame
    if found is None:
        raise ValueError("the clip begins after the time")
    return found


def _jpeg(frame: VideoFrame) -> bytes:
    height = max(2, round(frame.height * WIDTH / frame.width / 2) * 2)
    small = frame.reformat(width=WIDTH, height=min(height, 4 * WIDTH), format="yuvj420p")
    small.pts = 0
    coder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(coder, VideoCodecContext)
    coder.width, coder.height, coder.pix_fmt = small.width, small.height, "yuvj420p"
    coder.framerate = Fraction(1)
    coder.qmin = coder.qmax = _QUALITY
    return b"".join(bytes(packet) for packet in [*coder.encode(small), *coder.encode(None)])


if __name__ == "__main__":
    main()
