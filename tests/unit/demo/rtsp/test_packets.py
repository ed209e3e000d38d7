"""NAL units cut into RTP packets and put together again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.rtsp.packets import MAX_PAYLOAD, packetize, packetize_in_bursts
from demo.video.marker import sei_nal

SETS = [b"\x67" + bytes(range(1, 20)), b"\x68\xee\x3c\x80"]


def unpacked(buffer: bytes) -> list[bytes]:
    """RTP packets of an interleaved stretch."""
    found = []
    while buffer:
        length = int.from_bytes(buffer[2:4], "big")
        found.append(bytes(buffer[4 : 4 + length]))
        buffer = buffer[4 + length :]
    return found


def reassembled(packets: list[bytes]) -> list[bytes]:
    """NAL units, as RFC 6184 says."""
    nals: list[bytes] = []
    for packet in packets:
        payload = packet[12:]
        if payload[0] & 31 == 24:
            rest = payload[1:]
            while rest:
                length = int.from_bytes(rest[:2], "big")
                nals.append(rest[2 : 2 + length])
                rest = rest[2 + length :]
        elif payload[0] & 31 == 28:
            if payload[1] & 0x80:
                nals.append(bytes((payload[0] & 0x60 | payload[1] & 31,)))
            nals[-1] += payload[2:]
        else:
            nals.append(payload)
    return nals


@given(st.integers(1, 3 * MAX_PAYLOAD), st.integers(1, 5))
def test_packets_give_back_the_nal_units(length: int, burst: int) -> None:
    nals = [*SETS, sei_nal(1_795_000_000_000, 3), b"\x65" + bytes(at % 251 + 1 for at in range(length))]
    whole = packetize(nals, key=True)
    packets = unpacked(bytes(whole.buffer))
    assert reassembled(packets) == nals
    assert [packet[1] >> 7 for packet in packets] == [0] * (len(packets) - 1) + [1]
    assert max(map(len, packets)) <= 12 + MAX_PAYLOAD
    assert whole.buffer[whole.stamp_at :].startswith(b"1795000000000" + b"0003")
    parts = packetize_in_bursts(nals, key=True, packets=burst)
    assert b"".join(bytes(part.buffer) for part in parts) == bytes(whole.buffer)
    assert [part.first for part in parts] == [True] + [False] * (len(parts) - 1)


@pytest.mark.parametrize(
    "length", [MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1, 2 * MAX_PAYLOAD - 3, 2 * MAX_PAYLOAD]
)
def test_nal_units_around_the_limit_are_cut_where_they_must_be(length: int) -> None:
    nal = b"\x41" + b"\x55" * (length - 1)
    packets = unpacked(bytes(packetize([nal], key=False).buffer))
    assert reassembled(packets) == [nal]
    assert (len(packets) == 1) == (length <= MAX_PAYLOAD)
