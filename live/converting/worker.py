"""The converting process: coded pictures come in, H.264 goes out. It can do nothing else (runtime/sandbox/decoder.py).

Run as ``python -m live.converting.worker``: frames of live/protocol.py on its standard streams. First it says what
confines it. It ends with its input.
"""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from typing import Any, BinaryIO, Final

import av
import av.logging
import av.subtitles.stream  # libav imports it late, when files are out of reach
from av.codec.context import CodecContext, Flags
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import PictureType

from live.annex_b import annex_b, nal_units
from live.protocol import (
    Kind,
    Picture,
    Stream,
    pack_message,
    pack_stream,
    picture_head,
    read_frame_from,
    read_picture,
    read_stream,
)
from runtime.sandbox.decoder import confine
from storage.mp4 import box, video_trak, write_init

SIZE_MAX: Final = (1920, 1080)
"""Larger pictures are made smaller: four times as much to code would keep a processor busy for each camera."""
_NICE: Final = 10
"""Recording comes first."""
_TICKS_PER_S: Final = 90_000
_PIXELS_MAX: Final = 7680 * 4320
_WAITING_MAX: Final = 64
_DECODERS: Final = {"h264": "h264", "h265": "hevc"}
_PICTURES: Final = (1, 5)  # nal_unit_type of slices (H.264, table 7-1)
OPTIONS: Final = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "crf": "24", "forced-idr": "1"}
_KEY_EVERY: Final = 250
_MOST_BITS_PER_S: Final = 6_000_000


def main() -> None:
    """Until the input ends."""
    os.nice(_NICE)
    av.logging.set_level(av.logging.PANIC)
    held = confine()
    sink = sys.stdout.buffer
    sink.write(pack_message(held.dump()))
    sink.flush()
    convert(sys.stdin.buffer, sink)


def convert(source: BinaryIO, sink: BinaryIO) -> None:
    """One frame after another; at the end what the decoder has kept back."""
    converter = Converter()
    while (frame := read_frame_from(source)) is not None:
        kind, body = frame
        made: list[bytes] = []
        if kind is Kind.STREAM:
            made = converter.begin(read_stream(body))
        elif kind is Kind.PICTURE:
            made = converter.push(read_picture(body))
        sink.writelines(made)
        sink.flush()
    sink.writelines(converter.end())
    sink.flush()


class Converter:
    """``begin()`` with what describes the pictures, then ``push()`` them in decode order; ``end()``.

    All return frames to be sent: what describes the pictures that follow, and pictures. Replayed ones bring forth none.
    """

    def __init__(self) -> None:
        self._sets: tuple[bytes, ...] = ()
        self._decoder: Any = None
        self._coder: Any = None
        self._arrived: dict[int, tuple[int, bool]] = {}  # by time: when it came, and whether it is an old one

    def begin(self, stream: Stream) -> list[bytes]:
        """Pictures of this description follow, with a key frame first."""
        made = self.end()
        self._sets = stream.sets
        self._decoder = CodecContext.create(_DECODERS[stream.codec], "r")
        self._decoder.thread_count, self._decoder.thread_type = 2, "SLICE"  # threads by pictures would hold them back
        self._coder = None
        self._arrived.clear()
        return made

    def end(self) -> list[bytes]:
        """No picture follows: B-frames have the decoder keep some back until then."""
        return [] if self._decoder is None else self._converted(None, 0, True)

    def push(self, picture: Picture) -> list[bytes]:
        """The next one."""
        packet = Packet(annex_b(picture.data, self._sets if picture.key else ()))
        packet.pts, packet.time_base = picture.pts_ticks, Fraction(1, _TICKS_PER_S)
        self._arrived[picture.pts_ticks] = picture.mono_ns, picture.replayed
        while len(self._arrived) > _WAITING_MAX:
            del self._arrived[next(iter(self._arrived))]
        return self._converted(packet, picture.mono_ns, picture.replayed)

    def _converted(self, packet: Packet[Any] | None, mono_ns: int, replayed: bool) -> list[bytes]:
        try:
            frames = self._decoder.decode(packet)
        except FFmpegError:
            return []  # a damaged one: the next ones are there to be shown
        made: list[bytes] = []
        for frame in frames:
            came_ns, old = self._arrived.pop(frame.pts, (mono_ns, replayed))
            if not old and frame.width * frame.height <= _PIXELS_MAX:
                made += self._coded(frame, came_ns)
        return made

    def _coded(self, frame: Any, mono_ns: int) -> list[bytes]:
        size = fitting(frame.width, frame.height)
        made: list[bytes] = []
        small = frame.reformat(*size, format="yuv420p")
        small.pts, small.time_base = frame.pts, Fraction(1, _TICKS_PER_S)
        small.pict_type = PictureType.I if frame.key_frame else PictureType.NONE
        if self._coder is None or (self._coder.width, self._coder.height) != size:
            self._coder = _coder(size)
            packets = self._coder.encode(small)
            made.append(pack_stream(_described(bytes(self._coder.extradata), size)))
        else:
            packets = self._coder.encode(small)
        for packet in packets:
            units = [unit for unit in nal_units(bytes(packet)) if unit[0] & 31 in _PICTURES]
            data = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
            head = picture_head(
                size_bytes=len(data),
                pts_ticks=int(packet.pts),
                mono_ns=mono_ns,
                key=bool(packet.is_keyframe),
                damaged=False,
                replayed=False,
            )
            made += [head, data]
        return made


def fitting(width: int, height: int) -> tuple[int, int]:
    """The size within SIZE_MAX, even, of the same shape."""
    most_wide, most_high = SIZE_MAX if width >= height else SIZE_MAX[::-1]
    scale = min(1.0, most_wide / width, most_high / height)
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)


def _coder(size: tuple[int, int]) -> Any:
    made: Any = CodecContext.create("libx264", "w")
    made.width, made.height = size
    made.pix_fmt, made.time_base = "yuv420p", Fraction(1, _TICKS_PER_S)
    made.framerate = Fraction(25)  # times are those of the pictures; this is what its rate control counts with
    made.gop_size, made.max_b_frames = _KEY_EVERY, 0
    made.flags |= Flags.global_header
    made.thread_count = 2
    made.options = {**OPTIONS, "maxrate": str(_MOST_BITS_PER_S), "bufsize": str(_MOST_BITS_PER_S)}
    return made


def _described(extradata: bytes, size: tuple[int, int]) -> Stream:
    """AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1) of the one SPS and PPS, baseline."""
    sps, pps = (next(unit for unit in nal_units(extradata) if unit[0] & 31 == kind) for kind in (7, 8))
    record = bytes((1, *sps[1:4], 0xFF, 0xE1)) + len(sps).to_bytes(2, "big") + sps
    record += b"\x01" + len(pps).to_bytes(2, "big") + pps
    trak = video_trak(b"avc1", box(b"avcC", record), *size, _TICKS_PER_S)
    init = write_init([trak], _TICKS_PER_S)
    return Stream(codec="h264", mime=f"avc1.{sps[1:4].hex()}", init=init, sets=(sps, pps))


if __name__ == "__main__":
    main()
