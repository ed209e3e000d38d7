"""Plaintext buffers that serve again: a fresh mebibyte has to be cleared and mapped, which took 12 % of opening it.

A buffer is free when nobody holds a view of it any more, which its reference count says: a memoryview, and every slice
of one, holds the bytearray. So a caller keeps what it was given for as long as it likes.
"""

from __future__ import annotations

import sys

_KEPT = 3
_KEPT_BYTES_MAX = 4 << 20
_MINE = 2  # references while nobody else has one: the variable that asks, and the question itself


class Buffers:
    """At most three buffers of at most 4 MiB are kept. Any thread may take one."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: list[bytearray] = []

    def take(self, size: int) -> memoryview:
        """``size`` bytes, writable and the caller's own; what is in them is left from before."""
        for _ in range(len(self._kept)):
            try:
                buffer = self._kept.pop(0)  # one thread alone has it now
            except IndexError:
                break
            if sys.getrefcount(buffer) != _MINE:
                self._kept.append(buffer)
            elif len(buffer) >= size:
                return self._lend(buffer, size)
        return self._lend(bytearray(size), size)

    def _lend(self, buffer: bytearray, size: int) -> memoryview:
        view = memoryview(buffer)[:size]
        if len(self._kept) < _KEPT and len(buffer) <= _KEPT_BYTES_MAX:
            self._kept.append(buffer)
        return view
