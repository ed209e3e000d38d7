"""The little of MQTT 3.1.1 that the benchmarks' own clients speak: texts and packets."""

from __future__ import annotations

import struct


def text(value: str) -> bytes:
    """With its length before it (1.5.3)."""
    encoded = value.encode()
    return struct.pack(">H", len(encoded)) + encoded


def packet(head: int, body: bytes) -> bytes:
    """``head``: kind and flags. The length in seven bits a byte, least first (2.2.3)."""
    size, length = len(body), bytearray()
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((head, *length, size)) + body
