"""RTCP (RFC 3550, 6): parses a camera's sender reports, and builds the receiver reports that UDP requires."""

from __future__ import annotations

import struct
from typing import Final

from ingest.rtp.numbers import NUMBERS

_SENDER_REPORT: Final = 200
_NTP_TO_UNIX_S: Final = 2_208_988_800
_NS_PER_S: Final = 1_000_000_000
_REPORT: Final = struct.Struct(">BBHII4sIIII")  # RFC 3550, 6.4.2
_WORD: Final = 0xFFFFFFFF
_LOST_MAX: Final = (1 << 23) - 1
_NAME: Final = b"\x81\xca\x00\x04%b\x01\x08tallenne\x00\x00"  # SDES with a CNAME, which every report must contain (6.1)


def sender_clock(view: memoryview, start: int) -> int:
    """The RTP time that belongs to ``sender_time_ns``."""
    return int.from_bytes(view[start + 16 : start + 20], "big")


def sender_time_ns(view: memoryview, start: int, stop: int) -> int | None:
    """Return UTC by the camera's clock from a compound packet; None: it does not begin with a sender report."""
    if stop - start < 28 or view[start] >> 6 != 2 or view[start + 1] != _SENDER_REPORT:
        return None
    seconds = int.from_bytes(view[start + 8 : start + 12], "big")
    if not seconds:
        return None  # cameras without a clock
    if seconds < _NTP_TO_UNIX_S:
        seconds += 1 << 32  # the next NTP era, from 2036 on (RFC 5905, 6)
    fraction = int.from_bytes(view[start + 12 : start + 16], "big")
    return (seconds - _NTP_TO_UNIX_S) * 1_000_000_000 + (fraction * 1_000_000_000 >> 32)


class Reception:
    """Statistics of one source for receiver reports (RFC 3550, A.3 and A.8)."""

    __slots__ = ("_base", "_expected", "_highest", "_jitter", "_received", "_reported", "_transit", "_wraps")

    def __init__(self) -> None:
        self._base = self._highest = -1
        self._wraps = self._received = 0
        self._expected = self._reported = 0  # and received packets, as of the last report
        self._transit: int | None = None
        self._jitter = 0.0  # in the packets' time units

    def came(self, number: int) -> None:
        """Account for a packet, in any order."""
        self._received += 1
        if self._base < 0:
            self._base = self._highest = number
        elif number - self._highest & NUMBERS - 1 < NUMBERS // 2:
            self._wraps += number < self._highest
            self._highest = number

    def timed(self, stamp: int, mono_ns: int, rate_hz: int) -> None:
        """Update the jitter by the last packet of a batch: earlier ones waited for it in the kernel."""
        transit = mono_ns * rate_hz // _NS_PER_S - stamp & _WORD
        if self._transit is not None:
            step = transit - self._transit & _WORD
            self._jitter += (min(step, _WORD + 1 - step) - self._jitter) / 16
        self._transit = transit

    @property
    def lost(self) -> int:
        """Packets lost so far; negative if packets arrived twice (RFC 3550, 6.4.1)."""
        return self._wraps * NUMBERS + self._highest - self._base + 1 - self._received if self._base >= 0 else 0

    def report(self, reporter: int, source: int, heard: tuple[int, int] | None, mono_ns: int) -> bytes:
        """Build a compound packet. heard: middle 32 bits of the last sender report's time, and its arrival."""
        expected = self._wraps * NUMBERS + self._highest - self._base + 1 if self._base >= 0 else 0
        passed, got = expected - self._expected, self._received - self._reported
        self._expected, self._reported = expected, self._received
        fraction = min(255, max(0, passed - got) * 256 // passed) if passed > 0 else 0
        lost = max(-_LOST_MAX - 1, min(_LOST_MAX, self.lost))
        missing = (fraction << 24 | lost & 0xFFFFFF).to_bytes(4, "big")
        highest = (self._wraps << 16 | max(0, self._highest)) & _WORD
        when, since = heard if heard is not None else (0, mono_ns)
        delay = ((mono_ns - since) << 16) // _NS_PER_S & _WORD if heard is not None else 0
        blocks = source >= 0
        words = _REPORT.pack(
            0x80 | blocks, 201, 7, reporter, source & _WORD, missing, highest, int(self._jitter) & _WORD, when, delay
        )
        if not blocks:
            words = b"\x80\xc9\x00\x01" + words[4:8]
        return words + _NAME % reporter.to_bytes(4, "big")
