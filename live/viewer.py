"""One viewer's queue: bounded, and cut down to the next key frame when the viewer is too slow.

Pure but for the waiting: the feed pushes, the viewer's task takes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from live.protocol import Picture, Stream

WAITING_MAX_BYTES: Final = 4 << 20
REPLAY_TICKS: Final = 270
"""Between the replayed pictures, 3 ms at 90 kHz: they are decoded, and not watched."""
_DEPTH_MAX: Final = 16  # H.264 and H.265 reorder no more pictures than that
Item = Stream | Picture | None
"""None: the camera's pictures have stopped for now."""


class Viewer:
    """``dropped``: how many pictures it was too slow for."""

    def __init__(self, waiting_max_bytes: int = WAITING_MAX_BYTES) -> None:
        self._most = waiting_max_bytes
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._skipping = True  # until the next key frame
        self._begun = False
        self._ready = asyncio.Event()
        self.dropped = 0

    def push(self, item: Item) -> None:
        """Queue it. What the viewer cannot take is left out, up to the next key frame for which there is room."""
        if isinstance(item, Picture):
            full = self._bytes + len(item.data) > self._most
            self._skipping = full or (self._skipping and not item.key)
            if self._skipping:
                self.dropped += self._begun
                return
            self._begun = True
            self._bytes += len(item.data)
        elif item is None:
            self._skipping = True
        self._items.append(item)
        self._ready.set()

    async def next(self) -> Item:
        """The oldest item, once there is one."""
        while not self._items:
            self._ready.clear()
            await self._ready.wait()
        item = self._items.popleft()
        if isinstance(item, Picture):
            self._bytes -= len(item.data)
        return item


def condensed(group: Sequence[Picture]) -> list[Picture]:
    """The last group of pictures, with which a viewer begins, shortly before its latest picture and in its order."""
    if not group:
        return []
    last = max(picture.pts_ticks for picture in group)
    order = {pts: rank for rank, pts in enumerate(sorted({picture.pts_ticks for picture in group}, reverse=True))}
    return [
        replace(picture, pts_ticks=last - order[picture.pts_ticks] * REPLAY_TICKS, replayed=True) for picture in group
    ]


def reorder_depth(group: Sequence[Picture]) -> int:
    """How many pictures precede one that is shown before them: 0 without B-frames."""
    before = ((group[max(0, at - _DEPTH_MAX) : at], one) for at, one in enumerate(group))
    return max((sum(other.pts_ticks > one.pts_ticks for other in others) for others, one in before), default=0)
