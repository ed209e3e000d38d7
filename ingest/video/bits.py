"""Reads bits and Exp-Golomb codes of an RBSP (ITU-T H.264, 7.2 and 9.1)."""

from __future__ import annotations

from typing import Final

from ingest.errors import StreamError

SAMPLE_BITS_MAX: Final = 16  # ITU-T H.265, 7.4.3.2.1; H.264 has 14


def unescaped(nal: bytes) -> bytes:
    """Return the RBSP: the NAL unit without emulation prevention bytes (ITU-T H.264, 7.4.1)."""
    return nal.replace(b"\x00\x00\x03", b"\x00\x00")


class Bits:
    """Reads from the front; StreamError at the end."""

    __slots__ = ("_at", "_length", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._length = len(data) * 8
        self._at = 0

    def u(self, count: int) -> int:
        """Read ``count`` bits as an unsigned number, u(n)."""
        self._at += count
        if self._at > self._length:
            raise StreamError("A parameter set is cut off.", "Restart the camera; update its firmware.")
        return (self._value >> (self._length - self._at)) & ((1 << count) - 1)

    def ue(self) -> int:
        """Read an unsigned Exp-Golomb code, ue(v)."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise StreamError("A parameter set is damaged.", "Restart the camera; update its firmware.")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """Read a signed Exp-Golomb code, se(v)."""
        value = self.ue()
        return (value + 1) // 2 if value % 2 else -(value // 2)
