"""Access units to RTP packets (RFC 3550, RFC 6184), ready for an interleaved connection, numbers to be filled in.

A picture is packetized once for all its readers. What differs per reader (channel, sequence number, timestamp, SSRC)
is written over the same buffer just before it is copied out: no objects and no assembly per packet and reader.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from demo.video.marker import MARKER

PAYLOAD_TYPE: Final = 96
MAX_PAYLOAD: Final = 1400
INTERLEAVED: Final = 4
RTP_HEADER: Final = 12
_STAP_A: Final = 24
_FU_A: Final = 28
_head = struct.Struct(">BBHBBHII")  # $, channel, length; version, marker and type, sequence, timestamp, SSRC


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets that leave together: a whole picture, or a part of a large one.

    buffer: the packets one after the other, each with its 4 bytes of interleaved framing
    starts: where each begins in the buffer
    stamp_at: where the marker's 17 digits lie in the buffer; -1 in a part without them
    """

    buffer: bytearray
    starts: tuple[int, ...]
    key: bool
    first: bool  # of its picture
    stamp_at: int


def packetize(nals: Sequence[bytes], *, key: bool) -> Packets:
    """One access unit. A single NAL unit where it fits, FU-A where not; SPS and PPS share a STAP-A."""
    return _joined(list(_payloads(nals)), key=key, first=True, last=True)


def packetize_in_bursts(nals: Sequence[bytes], *, key: bool, packets: int) -> list[Packets]:
    """The same, in parts of at most ``packets``."""
    payloads = list(_payloads(nals))
    cuts = range(0, len(payloads), packets)
    return [
        _joined(payloads[cut : cut + packets], key=key, first=cut == 0, last=cut + packets >= len(payloads))
        for cut in cuts
    ]


def _joined(payloads: list[bytes], *, key: bool, first: bool, last: bool) -> Packets:
    buffer = bytearray()
    starts = []
    for place, payload in enumerate(payloads):
        starts.append(len(buffer))
        marker = 0x80 if last and place == len(payloads) - 1 else 0
        buffer += _head.pack(ord("$"), 0, RTP_HEADER + len(payload), 0x80, marker | PAYLOAD_TYPE, 0, 0, 0)
        buffer += payload
    found = buffer.find(MARKER)
    return Packets(buffer, tuple(starts), key, first, found + len(MARKER) if found >= 0 else -1)


def _payloads(nals: Sequence[bytes]) -> Iterable[bytes]:
    sets = [nal for nal in nals if nal[0] & 31 in (7, 8)]
    together = len(sets) > 1 and sum(2 + len(nal) for nal in sets) < MAX_PAYLOAD
    if together:
        importance = max(nal[0] & 0x60 for nal in sets)
        yield bytes((importance | _STAP_A,)) + b"".join(len(nal).to_bytes(2, "big") + nal for nal in sets)
    for nal in nals:
        if together and nal[0] & 31 in (7, 8):
            continue
        if len(nal) <= MAX_PAYLOAD:
            yield nal
        else:
            yield from _fragments(nal)


def _fragments(nal: bytes) -> Iterable[bytes]:
    """FU-A: the NAL unit's first byte is split over two, the rest cut into pieces."""
    room = MAX_PAYLOAD - 2
    indicator, kind = nal[0] & 0x60 | _FU_A, nal[0] & 31
    for at in range(1, len(nal), room):
        start = 0x80 if at == 1 else 0
        end = 0x40 if at + room >= len(nal) else 0
        yield bytes((indicator, start | end | kind)) + nal[at : at + room]
