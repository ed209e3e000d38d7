"""Sender reports: the camera's clock as UTC, over the turn of the NTP era in 2036."""

from __future__ import annotations

import struct

import pytest

from ingest.rtsp.rtcp import sender_clock, sender_time_ns

UNIX_OF_NTP_0 = -2_208_988_800


def report(seconds: int, fraction: int = 0, *, first: int = 0x80, kind: int = 200) -> bytes:
    return struct.pack(">BBHIIIIII", first, kind, 6, 1, seconds, fraction, 90_000, 0, 0)


@pytest.mark.parametrize(
    ("unix_s", "fraction", "time_ns"),
    [
        (0, 0, 0),
        (1_790_000_000, 1 << 31, 1_790_000_000_500_000_000),
        ((1 << 32) + UNIX_OF_NTP_0 - 1, (1 << 32) - 1, ((1 << 32) + UNIX_OF_NTP_0) * 10**9 - 1),
        ((1 << 32) + UNIX_OF_NTP_0 + 1, 0, ((1 << 32) + UNIX_OF_NTP_0 + 1) * 10**9),  # 2036
    ],
)
def test_report_tells_utc(unix_s: int, fraction: int, time_ns: int) -> None:
    data = report((unix_s - UNIX_OF_NTP_0) % (1 << 32), fraction)
    assert sender_time_ns(memoryview(b"xx" + data), 2, 2 + len(data)) == time_ns
    assert sender_clock(memoryview(b"xx" + data), 2) == 90_000


@pytest.mark.parametrize(
    "data",
    [report(0), report(3_000_000_000, kind=201), report(3_000_000_000, first=0x40), report(3_000_000_000)[:27], b""],
)
def test_anything_else_tells_nothing(data: bytes) -> None:
    assert sender_time_ns(memoryview(data), 0, len(data)) is None
