"""Fragments of one picture, for a browser's MediaSource. Pure.

A picture's fragment is written when the next picture has come, so that its duration is true: a browser takes a hole
between two fragments for the end of what it may decode without a key frame.
"""

from __future__ import annotations

import heapq
from typing import Final

from live.protocol import Picture
from storage.mp4 import Run, mdat_head, write_moof

_KEY, _OTHER = (
    0x02000000,
    0x01010000,
)  # sample_depends_on 2; 1 and sample_is_non_sync_sample (ISO/IEC 14496-12, 8.8.3.1)
_HELD_MAX: Final = 16


class Fragments:
    """Call ``push()`` with each picture in decode order; ``depth``: how many pictures are sent before their turn."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = min(depth, _HELD_MAX)
        self._soon: list[int] = []  # the lowest is the next decode time: presentation times, sorted, with a delay
        self._last: tuple[Picture, int] | None = None  # with its decode time
        self._base: int | None = None
        self._sequence = 0

    def push(self, picture: Picture) -> bytes | None:
        """The fragment of the picture before this one, if there is one."""
        decode = self._decode(picture)
        before, self._last = self._last, (picture, decode)
        return None if before is None else self._write(*before, decode)

    def _decode(self, picture: Picture) -> int:
        """A decode time above the last one; the presentation time itself where pictures come in order."""
        heapq.heappush(self._soon, picture.pts_ticks)
        if len(self._soon) > self._depth:
            found = heapq.heappop(self._soon)
        else:  # the first ones: before the lowest
            found = self._soon[0] - (self._depth + 1 - len(self._soon))
        return found if self._last is None else max(found, self._last[1] + 1)

    def _write(self, picture: Picture, decode: int, after: int) -> bytes:
        if self._base is None:
            self._base = decode
        self._sequence += 1
        flags = _KEY if picture.key else _OTHER
        offset = max(-(1 << 31), min(picture.pts_ticks - decode, (1 << 31) - 1))
        words = (min(after - decode, (1 << 32) - 1), len(picture.data), flags, offset)
        run = Run(decode_ticks=decode - self._base, words=words)
        return b"".join((write_moof(run, sequence=self._sequence), mdat_head(len(picture.data)), picture.data))
