"""One playing session: numbers and sends packets and sender reports; cut off when it reads too slowly."""

from __future__ import annotations

import asyncio
import random
import secrets
import struct
import time
from typing import Final

from demo.rtsp.packets import INTERLEAVED, Packets

REPORT_EVERY_NS: Final = 5_000_000_000
_NTP_EPOCH_S: Final = 2_208_988_800
_numbers = struct.Struct(">HII")  # sequence, timestamp, SSRC: bytes 2 to 12 of the RTP header
_report = struct.Struct(">BBHBBHIQIII")
_MASK: Final = 0xFFFFFFFF


class Reader:
    """``send`` never blocks and never keeps more than ``max_pending_bytes`` for a peer that does not read."""

    __slots__ = (
        "_base", "_channel", "_max_pending", "_next_report_ns", "_octets", "_packets", "_transport",
        "fresh", "sequence", "ssrc",
    )  # fmt: skip

    def __init__(self, transport: asyncio.Transport, channel: int, max_pending_bytes: int) -> None:
        self._transport = transport
        self._channel = channel
        self._max_pending = max_pending_bytes
        self._base = secrets.randbits(32)
        self._next_report_ns = 0
        self._packets = 0
        self._octets = 0
        self.sequence = secrets.randbits(16)
        self.ssrc = secrets.randbits(32)
        self.fresh = True  # nothing sent yet, or something left out: go on with a key picture

    def rtp_time(self, ticks: int) -> int:
        """Return the RTP timestamp of a time of the stream: a random base, 32 bits."""
        return (self._base + ticks) & _MASK

    def send(self, packets: Packets, ticks: int, loss: float) -> int:
        """Bytes written; -1 when the peer is too slow and has been cut off."""
        transport = self._transport
        if transport.get_write_buffer_size() > self._max_pending:
            transport.abort()
            return -1
        buffer, sequence, stamp, ssrc = packets.buffer, self.sequence, (self._base + ticks) & _MASK, self.ssrc
        pack = _numbers.pack_into
        for start in packets.starts:
            buffer[start + 1] = self._channel
            pack(buffer, start + INTERLEAVED + 2, sequence & 0xFFFF, stamp, ssrc)
            sequence += 1
        self.sequence = sequence
        self._packets += len(packets.starts)
        self._octets += len(buffer) - 16 * len(packets.starts)
        data = bytes(buffer) if not loss else _thinned(packets, loss)
        transport.write(data)
        return len(data)

    def report(self, ticks: int, mono_ns: int, jump_ns: int) -> None:
        """An RTCP sender report with a CNAME (RFC 3550 sections 6.4.1 and 6.5.1), when one is due."""
        if mono_ns < self._next_report_ns:
            return
        self._next_report_ns = mono_ns + REPORT_EVERY_NS
        seconds, rest = divmod(time.time_ns() + jump_ns, 1_000_000_000)
        ntp = (seconds + _NTP_EPOCH_S << 32 | (rest << 32) // 1_000_000_000) & 0xFFFFFFFFFFFFFFFF
        words = b"\x81\xca\x00\x03" + self.ssrc.to_bytes(4, "big") + b"\x01\x04demo\x00\x00"
        head = (ord("$"), self._channel + 1, 28 + len(words), 0x80, 200, 6, self.ssrc)
        counts = (self.rtp_time(ticks), self._packets & _MASK, self._octets & _MASK)
        self._transport.write(_report.pack(*head, ntp, *counts) + words)

    def drop(self) -> None:
        """Reset the reader's connection."""
        self._transport.abort()


def _thinned(packets: Packets, loss: float) -> bytes:
    """Without the packets that chance takes."""
    ends = (*packets.starts[1:], len(packets.buffer))
    pairs = zip(packets.starts, ends, strict=True)
    return b"".join(packets.buffer[start:end] for start, end in pairs if random.random() >= loss)
