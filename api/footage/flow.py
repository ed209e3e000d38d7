"""Reads ranges of one object that mostly follow one another through a single GET.

Each GET costs the server CPU, whatever its size (SeaweedFS: 7 ms for any part of a 4 MiB piece, 12 ms for an object of
5 MB). A clip therefore uses one for a segment's tail and one for the rest, not one per mebibyte.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from domain.errors import StorageError
from domain.footage import Segment
from storage.sealed import object_name_of
from storage.store import ObjectStore

PATIENCE_S: Final = 2.0
"""A GET is closed after its reader has paused for this long, which frees its connection to the store."""


class Fetch:
    """Reads ranges of one segment's object, with a GET each."""

    def __init__(self, store: ObjectStore, segment: Segment) -> None:
        self._store, self._name = store, object_name_of(segment)

    async def __call__(self, start: int, end: int) -> bytes:
        return await self._store.get_range(self._name, start, end)


class Flow:
    """``await flow(start, end)``, in order of time. Close it; it closes itself when it is forgotten."""

    def __init__(self, store: ObjectStore, name: str, *, stop: int, keep: int) -> None:
        """``stop``: end of a GET, if known; ``keep``: bytes by which a range may reach back into the last one."""
        self._store, self._name, self._stop, self._keep = store, name, stop, keep
        self._lock = asyncio.Lock()
        self._pieces: AsyncGenerator[bytes | bytearray, None] | None = None
        self._held: deque[bytes | bytearray] = deque()
        self._at = self._end = 0  # offset in the object of the held bytes
        self._taken = False
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    async def __call__(self, start: int, end: int) -> bytes:
        """Bytes [start, end) of the object; shorter only if the store is wrong. What the store raises."""
        async with self._reading():
            await self._fill(start, end)
            wanted = self._cut(start, end)
            self._forget(end - self._keep)
            return wanted

    async def warm(self, start: int, end: int) -> None:
        """Begin the GET early, so that this range is there when it is requested."""
        if start < end:
            async with self._reading():
                await self._fill(start, end)

    def take(self, start: int) -> bool:
        """Claim the GET that ``warm()`` began there. False: there is none, or another caller has claimed it."""
        mine = self._at == start and self._pieces is not None and not self._taken
        self._taken = self._taken or mine
        return mine

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        async with self._lock:
            self._stop_timer()
            try:
                yield
            except BaseException:
                await self._drop()
                raise
            finally:
                if self._pieces is not None:
                    self._timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._give_up)

    async def close(self) -> None:
        """End the present GET and forget its bytes."""
        async with self._lock:
            await self._drop()

    async def _fill(self, start: int, end: int) -> None:
        if self._pieces is None or not self._at <= start <= self._end:
            await self._drop()
            self._pieces = self._store.stream_range(self._name, start, max(end, self._stop))
            self._at = self._end = start
        self._forget(start)
        while self._end < end:
            piece = await anext(self._pieces, None)
            if piece is None:
                break
            self._held.append(piece)
            self._end += len(piece)

    def _cut(self, start: int, end: int) -> bytes:
        """Return the held bytes of [start, end), copied once."""
        found, at = [], self._at
        for piece in self._held:
            if at >= end:
                break
            if at + len(piece) > start:
                found.append(memoryview(piece)[max(0, start - at) : end - at])
            at += len(piece)
        return b"".join(found)

    def _forget(self, until: int) -> None:
        """Drop the pieces before ``until``."""
        while self._held and self._at + len(self._held[0]) <= until:
            self._at += len(self._held.popleft())

    async def _drop(self) -> None:
        self._stop_timer()
        pieces, self._pieces = self._pieces, None
        self._held.clear()
        if pieces is not None:
            with suppress(StorageError):
                await pieces.aclose()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if not self._lock.locked():
            self._closing = asyncio.create_task(self.close(), name="clip flow given up")
