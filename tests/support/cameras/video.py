"""Short encoded streams to feed the recorder's parts with."""

from __future__ import annotations

import fractions
import io
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from ingest.access_unit import TICKS_PER_S, AccessUnit
from ingest.libav.packets import Packets
from ingest.video import nal
from ingest.video.parameters import Role, role_of


def encoded(
    seconds: float = 4.0,
    *,
    fps: int = 25,
    gop: int = 25,
    b_frames: int = 0,
    size: tuple[int, int] = (320, 192),
    codec: str = "libx264",
    more: str = "",
    noise: int = 0,
) -> list[tuple[bytes, int, bool]]:
    """(Annex B, pts in 90 kHz, key) in decode order: a moving gradient. ``more``: the coder's own words.

    noise: of 255, so that pictures are as large as a real camera's
    """
    context = av.CodecContext.create(codec, "w")
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.time_base = fractions.Fraction(1, fps)
    context.framerate = fractions.Fraction(fps)
    context.gop_size = gop
    context.max_b_frames = b_frames
    private = "x264-params" if codec == "libx264" else "x265-params"
    options = {
        "preset": "ultrafast",
        private: f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:repeat-headers=1:log-level=0{more}",
    }
    context.options = options
    found = []
    random = np.random.default_rng(5)
    base = np.add.outer(np.arange(size[1]), np.arange(size[0])).astype(np.uint8)
    for number in range(round(seconds * fps)):
        picture = np.zeros((size[1] * 3 // 2, size[0]), np.uint8)
        picture[: size[1]] = base + number * 3 % 256
        if noise:
            picture[: size[1]] += random.integers(0, noise, (size[1], size[0]), np.uint8)
        picture[size[1] :] = 128
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        found += context.encode(frame)
    found += context.encode(None)
    return [(bytes(packet), int(packet.pts or 0) * TICKS_PER_S // fps, bool(packet.is_keyframe)) for packet in found]


def units(stream: Sequence[tuple[bytes, int, bool]], codec: str = "h264") -> list[AccessUnit]:
    """As a source would give them, each arriving when it is shown."""
    packets = Packets(codec, b"")
    made = [packets.unit(data, pts, pts * 100_000 // 9) for data, pts, _ in stream]
    return [unit for unit in made if unit is not None]


def decoded_times(mp4: bytes) -> list[float]:
    """Seconds at which the pictures of an MP4 are shown, sorted; decoding must not fail."""
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        return sorted(float(frame.time or 0.0) for frame in container.decode(video=0))


def written(
    path: Path,
    stream: Sequence[tuple[bytes, int, bool]],
    *,
    codec: str = "h264",
    size: tuple[int, int] = (320, 192),
    hidden_ticks: int = 0,
) -> Path:
    """The stream in a container that the path's suffix names; libav's muxers, not ours.

    hidden_ticks: so much of its beginning is hidden by an edit list, as by a cut without coding anew (MP4).
    """
    stream = [(data, pts - hidden_ticks, key) for data, pts, key in stream]
    shown = sorted(pts for _, pts, _ in stream)
    options = {"use_editlist": "1", "avoid_negative_ts": "disabled"} if hidden_ticks else {}
    with av.open(str(path), "w", options=options) as container:
        track = container.add_stream(codec, rate=25)
        track.width, track.height = size
        track.pix_fmt = "yuv420p"
        track.time_base = fractions.Fraction(1, TICKS_PER_S)
        head = next(data for data, _, key in stream if key)
        track.codec_context.extradata = b"".join(
            b"\x00\x00\x00\x01" + item for item in nal.split_annex_b(head) if role_of(_NAMES[codec], item) is Role.SET
        )
        delay = max(0, *(decode - pts for (_, pts, _), decode in zip(stream, shown, strict=True)))
        for (data, pts, key), decode in zip(stream, shown, strict=True):
            packet = av.Packet(data)
            packet.stream = track
            packet.time_base = fractions.Fraction(1, TICKS_PER_S)
            packet.pts, packet.dts = pts, decode - delay
            packet.is_keyframe = key
            container.mux(packet)
    return path


_NAMES = {"h264": "h264", "hevc": "h265"}


class Writer:
    """Bits and Exp-Golomb codes, the other way round than ingest.video.bits."""

    def __init__(self) -> None:
        self.text = ""

    def u(self, count: int, value: int) -> None:
        self.text += f"{value:0{count}b}"

    def ue(self, *values: int) -> None:
        for value in values:
            code = f"{value + 1:b}"
            self.text += "0" * (len(code) - 1) + code

    def nal(self, header: bytes) -> bytes:
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        made, zeros = bytearray(header), 0
        for byte in int(text, 2).to_bytes(len(text) // 8, "big"):
            if zeros == 2 and byte <= 3:
                made.append(3)  # or a decoder would take it for a start code
                zeros = 0
            made.append(byte)
            zeros = 0 if byte else zeros + 1
        return bytes(made)


def h264_sps(profile: str, size: tuple[int, int]) -> bytes:
    """``profile``: profile, constraints and level in hex, as in a mime type. The size is cropped from macroblocks."""
    made = Writer()
    made.u(24, int(profile, 16))
    made.ue(0)  # seq_parameter_set_id
    if profile.startswith("64"):
        made.ue(1, 0, 0)
        made.u(2, 0)
    made.ue(0, 0, 0, 4)  # frame_num, order, reference frames
    made.u(1, 0)
    across, down = -(-size[0] // 16), -(-size[1] // 16)
    made.ue(across - 1, down - 1)
    made.u(2, 0b11)
    cropped = (across * 16 - size[0], down * 16 - size[1])
    made.u(1, any(cropped))
    if any(cropped):
        made.ue(0, cropped[0] // 2, 0, cropped[1] // 2)
    made.u(1, 0)
    return made.nal(b"\x67")


def h265_sps(general: bytes, size: tuple[int, int]) -> bytes:
    """``general``: the 12 bytes of profile, tier and level."""
    made = Writer()
    made.u(4, 0)
    made.u(3, 0)
    made.u(1, 1)
    made.u(96, int.from_bytes(general, "big"))
    made.ue(0, 1, *size)
    made.u(1, 0)
    made.ue(0, 0)
    return made.nal(b"\x42\x01")
