"""Decodes a clip in memory and encodes it again as H.264: pictures alone, at the times that they had.

Only decoded samples pass from one side to the other: no sound, no metadata, no user data of the camera's stream.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import av
import av.logging
import av.subtitles.stream  # libav imports it late, when files are out of reach
import numpy as np
from av.error import FFmpegError
from av.video.frame import PictureType

from masking.detectors.moving import WIDTH
from masking.errors import ClipRefusedError
from masking.fill import Plane, cut_from
from masking.tracks import FRAMES_MAX

PIXELS_MAX: Final = 4096 * 2304
_FORMAT: Final = "yuv420p"
_CODECS: Final = ("h264", "hevc")
_OPTIONS: Final = {"preset": "veryfast", "crf": "23", "forced-idr": "1", "bf": "0"}
_KEY_EVERY: Final = 250
_REMEDY: Final = "Mask a shorter span, or look at the clip in the player."


@dataclass(frozen=True)
class Shown:
    """A decoded frame, by its place in the order of showing, at the clip's size."""

    index: int
    frame: Any
    size: tuple[int, int]

    @property
    def pts(self) -> int:
        """In the clip's time base."""
        return int(self.frame.pts)

    @cached_property
    def samples(self) -> Any:
        """A copy in 4:2:0, which may be painted on: the decoder still refers to its own."""
        width, height = self.size
        made = self.frame.to_ndarray(format=_FORMAT, width=width, height=height)
        return np.array(made, copy=True)

    def picture(self) -> Any:
        """Rows, columns, BGR."""
        width, height = self.size
        return self.frame.to_ndarray(format="bgr24", width=width, height=height)

    def small(self) -> Any:
        """Rows, columns, YUV."""
        width = min(WIDTH, self.size[0])
        height = max(2, round(self.size[1] * width / self.size[0]))
        made = self.frame.to_ndarray(format="yuv444p", width=width, height=height, interpolation="AREA")
        return np.moveaxis(made, 0, -1)


class Clip:
    """An MP4 in memory. ClipRefusedError: there is no H.264 or H.265 in it, or it is beyond a limit, or damaged."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        with self._opened() as container:
            stream = container.streams.video[0]
            codec = stream.codec_context
            if codec.name not in _CODECS:
                raise ClipRefusedError(f"The clip's pictures are neither H.264 nor H.265, but {codec.name}.", _REMEDY)
            if not 0 < codec.width * codec.height <= PIXELS_MAX:
                raise ClipRefusedError(f"Pictures of {codec.width}x{codec.height} are too large to mask.", _REMEDY)
            self.size = max(2, codec.width // 2 * 2), max(2, codec.height // 2 * 2)
            self.time_base = Fraction(stream.time_base)
            self.fps = float(min(max(stream.average_rate or 25, 1), 240))
            self.expected = min(stream.frames, FRAMES_MAX)  # as the head says, 0 where it does not; for progress only

    def frames(self) -> Iterator[Shown]:
        """All pictures, in the order in which they are shown. ClipRefusedError: none, or too many, or damaged."""
        last: int | None = None
        index = 0
        with self._opened() as container:
            stream = container.streams.video[0]
            # By slices: libav may wait for ever for threads by pictures when what they decode is damaged.
            stream.codec_context.thread_count, stream.codec_context.thread_type = 2, "SLICE"
            for frame in container.decode(stream):
                if frame.pts is None or (last is not None and frame.pts <= last):
                    continue  # a picture without a time of its own is not shown
                if index >= FRAMES_MAX:
                    raise ClipRefusedError(f"The clip has more than {FRAMES_MAX} pictures.", _REMEDY)
                if frame.width * frame.height > PIXELS_MAX:
                    raise ClipRefusedError("Pictures in the clip are too large to mask.", _REMEDY)
                last = frame.pts
                yield Shown(index, frame, self.size)
                index += 1
        if last is None:
            raise ClipRefusedError("There is no picture in the clip that can be decoded.", _REMEDY)

    def _opened(self) -> Any:
        return _Opened(self._data)


class _Opened:
    """libav's errors as ours."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._container: Any = None

    def __enter__(self) -> Any:
        try:
            self._container = av.open(io.BytesIO(self._data), format="mp4")
            if not self._container.streams.video:
                raise ValueError
        except (FFmpegError, ValueError, OverflowError) as exc:
            self._close()
            raise _damaged() from exc
        return self._container

    def __exit__(self, kind: Any, exc: BaseException | None, _: Any) -> None:
        self._close()
        if isinstance(exc, FFmpegError):
            raise _damaged() from exc

    def _close(self) -> None:
        if self._container is not None:
            self._container.close()


def _damaged() -> ClipRefusedError:
    return ClipRefusedError("The clip cannot be decoded.", _REMEDY)


Painter = Callable[[int, tuple[Plane, Plane, Plane]], None]
"""(frame, its planes) to be painted on."""


def encode(clip: Clip, painter: Painter, progress: Callable[[int], None] = lambda _: None) -> bytes:
    """The clip as an MP4 of H.264, each picture painted on; ``progress`` gets the number of pictures done."""
    sink = io.BytesIO()
    options = {"video_track_timescale": str(clip.time_base.denominator)}
    with av.open(sink, "w", format="mp4", options=options) as container:
        stream: Any = None
        for shown in clip.frames():
            painter(shown.index, cut_from(shown.samples, *clip.size))
            frame = av.VideoFrame.from_ndarray(shown.samples, format=_FORMAT)
            frame.pts, frame.time_base = shown.pts, clip.time_base
            frame.pict_type = PictureType.I if shown.frame.key_frame else PictureType.NONE
            if stream is None:
                stream = _stream(container, clip, shown.frame)
            container.mux(stream.encode(frame))
            progress(shown.index + 1)
        container.mux(stream.encode(None))
    return sink.getvalue()


def _stream(container: Any, clip: Clip, first: Any) -> Any:
    stream = container.add_stream("libx264", rate=Fraction(clip.fps).limit_denominator(1000), options=_OPTIONS)
    coder = stream.codec_context
    coder.width, coder.height = clip.size
    coder.pix_fmt = _FORMAT
    coder.time_base = stream.time_base = clip.time_base
    coder.gop_size, coder.max_b_frames, coder.thread_count = _KEY_EVERY, 0, 2
    coder.color_range = 1 if first.format.name.startswith("yuvj") else first.color_range
    coder.colorspace, coder.color_primaries, coder.color_trc = first.colorspace, first.color_primaries, first.color_trc
    return stream
