"""Pieces of a made-up H.264 stream: parameter sets, pictures, packets."""

from __future__ import annotations

import itertools

from tests.support.cameras.rtp import frame

SPS = bytes.fromhex("6742c01ed903c56840000003004000000c03c58b92")


IDR, PICTURE, SEI, AUD = b"\x65\x88" + b"\x55" * 50, b"\x41\x9a" + b"\x55" * 30, b"\x06\x05\x01\x55\x80", b"\x09\xf0"
PPS = bytes.fromhex("68cb8cb2")


def prefixed(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def stream(*pictures: tuple[bytes, ...], start: int = 0, sequence: int = 0) -> list[bytes]:
    """Each picture's NAL units, each in a packet of its own; 3600 ticks apart."""
    numbers = itertools.count(sequence)
    return [
        frame(nal, next(numbers), start + 3600 * n, marker=place == len(nals) - 1)
        for n, nals in enumerate(pictures)
        for place, nal in enumerate(nals)
    ]


KEY = (SPS, PPS, IDR)
