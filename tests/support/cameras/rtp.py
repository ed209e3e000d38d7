"""RTP as cameras send it, for tests: access units to interleaved frames, with every liberty a test wants."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

from ingest.access_unit import AccessUnit, Loss
from ingest.rtp.frames import SLACK
from ingest.rtp.track import Track
from ingest.video.nal import split_annex_b

SSRC = 0x1234ABCD


def frame(
    payload: bytes,
    sequence: int,
    ticks: int,
    *,
    marker: bool = False,
    channel: int = 0,
    kind: int = 96,
    ssrc: int = SSRC,
) -> bytes:
    """One interleaved frame with a plain header."""
    head = struct.pack(">BBHII", 0x80, marker << 7 | kind, sequence & 0xFFFF, ticks & 0xFFFFFFFF, ssrc)
    return struct.pack(">BBH", 0x24, channel, len(head) + len(payload)) + head + payload


def h264_payloads(nal: bytes, size: int = 1400) -> list[bytes]:
    """Single, or FU-A."""
    if len(nal) <= size:
        return [nal]
    pieces = [nal[at : at + size - 2] for at in range(1, len(nal), size - 2)]
    last = len(pieces) - 1
    return [
        bytes((nal[0] & 0xE0 | 28, (n == 0) << 7 | (n == last) << 6 | nal[0] & 31)) + piece
        for n, piece in enumerate(pieces)
    ]


def h265_payloads(nal: bytes, size: int = 1400) -> list[bytes]:
    """Single, or FU."""
    if len(nal) <= size:
        return [nal]
    pieces = [nal[at : at + size - 3] for at in range(2, len(nal), size - 3)]
    last = len(pieces) - 1
    head = bytes((nal[0] & 0x81 | 49 << 1, nal[1]))
    return [
        head + bytes(((n == 0) << 7 | (n == last) << 6 | nal[0] >> 1 & 63,)) + piece for n, piece in enumerate(pieces)
    ]


def frames_of(
    pictures: Iterable[tuple[bytes, int]], *, codec: str = "h264", sequence: int = 0, size: int = 1400, channel: int = 0
) -> list[bytes]:
    """``pictures``: Annex B and ticks, in decode order."""
    made: list[bytes] = []
    for data, ticks in pictures:
        payloads = [
            item
            for nal in split_annex_b(data)
            for item in (h264_payloads if codec == "h264" else h265_payloads)(nal, size)
        ]
        for place, payload in enumerate(payloads):
            made.append(frame(payload, sequence, ticks, marker=place == len(payloads) - 1, channel=channel))
            sequence += 1
    return made


def make_track(codec: str = "h264", channel: int = 0, **more: Any) -> Track:
    """``more``: see Track."""
    return Track(channel, 96, codec, **more)


def walked(track: Track, frames: Sequence[bytes], mono_ns: int = 0) -> list[AccessUnit | Loss]:
    """All of them in one gulp, in a buffer that is overwritten afterwards."""
    out: list[AccessUnit | Loss] = []
    buffer = bytearray(b"".join(frames) + bytes(SLACK))
    end = len(buffer) - SLACK
    assert track.walk(memoryview(buffer), 0, end, mono_ns, out) == end
    track.check()
    buffer[:] = bytes(len(buffer))
    return out


def units(items: Iterable[AccessUnit | Loss]) -> list[AccessUnit]:
    return [item for item in items if isinstance(item, AccessUnit)]


def losses(items: Iterable[AccessUnit | Loss]) -> list[Loss]:
    return [item for item in items if isinstance(item, Loss)]
