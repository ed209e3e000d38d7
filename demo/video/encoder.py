"""Pictures to H.264 access units, each with its marker. libx264 through PyAV, one thread, no look-ahead of its own."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from demo.video.marker import sei_nal

CLOCK_RATE: Final = 90_000
_START_CODE: Final = b"\x00\x00\x01"
_FIRST_VCL: Final = 1
_LAST_VCL: Final = 5
_SPS: Final = 7
_PPS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessUnit:
    """One coded picture, in decode order. On a key picture SPS and PPS come first."""

    nals: tuple[bytes, ...]  # without start codes
    key: bool
    pts_ticks: int  # of display, 90 kHz
    dts_ticks: int  # of decoding; below pts_ticks only with B-frames, and at first negative
    time_ms: int  # in strip and marker

    @property
    def annex_b(self) -> bytes:
        """Return the NAL units with start codes (H.264 Annex B)."""
        return b"".join(b"\x00" + _START_CODE + nal for nal in self.nals)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    size: tuple[int, int]
    fps: Fraction
    bit_rate: int
    gop_frames: int
    b_frames: int = 0
    preset: str = "ultrafast"


class Encoder:
    """One camera's coder. Not for several threads at once; gives up the interpreter's lock while it works."""

    def __init__(self, settings: EncoderSettings, camera: int) -> None:
        self._camera = camera
        self._ticks_per_index = CLOCK_RATE / settings.fps
        self._codec = _open(settings)
        self._times_ms: dict[int, int] = {}

    def encode(self, frame: av.VideoFrame, index: int, time_ms: int, *, key: bool = False) -> list[AccessUnit]:
        """Code one picture. ``index`` counts frame intervals and only grows; gaps are pictures that never were.

        Without B-frames each picture comes out at once; with them some calls return none and some several.
        """
        frame.pts = index
        frame.time_base = 1 / self._codec.framerate
        frame.pict_type = PictureType.I if key else PictureType.NONE
        self._times_ms[index] = time_ms
        return [self._unit(packet) for packet in self._codec.encode(frame)]

    def flush(self) -> list[AccessUnit]:
        """What B-frames held back. The coder is finished afterwards."""
        return [self._unit(packet) for packet in self._codec.encode(None)]

    def _unit(self, packet: av.Packet[av.VideoStream]) -> AccessUnit:
        pts, dts = cast(int, packet.pts), cast(int, packet.dts)
        time_ms = self._times_ms.pop(pts)
        return AccessUnit(
            nals=marked(split_annex_b(bytes(packet)), time_ms, self._camera),
            key=packet.is_keyframe,
            pts_ticks=round(pts * self._ticks_per_index),
            dts_ticks=round(dts * self._ticks_per_index),
            time_ms=time_ms,
        )


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units without start codes. A NAL unit never ends in a zero byte, so trailing zeros are the next start's."""
    return [nal for part in data.split(_START_CODE) if (nal := part.rstrip(b"\x00"))]


def marked(nals: list[bytes], time_ms: int, camera: int) -> tuple[bytes, ...]:
    """With the marker before the first slice; access unit delimiters are left out, as cameras do over RTP."""
    kept = [nal for nal in nals if nal[0] & 31 != 9]
    at = next((place for place, nal in enumerate(kept) if _FIRST_VCL <= nal[0] & 31 <= _LAST_VCL), len(kept))
    return (*kept[:at], sei_nal(time_ms, camera), *kept[at:])


def parameter_sets(nals: tuple[bytes, ...]) -> tuple[bytes, bytes] | None:
    """(SPS, PPS) of an access unit that carries both."""
    sps = next((nal for nal in nals if nal[0] & 31 == _SPS), None)
    pps = next((nal for nal in nals if nal[0] & 31 == _PPS), None)
    return (sps, pps) if sps is not None and pps is not None else None


def _open(settings: EncoderSettings) -> VideoCodecContext:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = settings.size
    codec.pix_fmt = "yuv420p"
    codec.framerate = settings.fps
    codec.time_base = 1 / settings.fps
    codec.bit_rate = settings.bit_rate
    codec.thread_count = 1
    gop, b_frames = settings.gop_frames, settings.b_frames
    fixed = f"keyint={gop}:min-keyint=1:scenecut=0:open-gop=0:bframes={b_frames}:b-adapt=0"
    codec.options = {
        "preset": settings.preset,
        "forced-idr": "1",
        "maxrate": str(settings.bit_rate),
        "bufsize": str(settings.bit_rate),
        "x264-params": fixed + (":rc-lookahead=0:sync-lookahead=0:mbtree=0" if b_frames else ""),
    }
    if not b_frames:
        codec.options["tune"] = "zerolatency"
    return codec
