"""Reads a sealed segment over any ``fetch(start, end)``: the asyncio shell around RangeOpener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from storage.sealed.format import Layout, Trailer
from storage.sealed.opener import PayloadKey, RangeOpener

Fetch = Callable[[int, int], Awaitable[bytes]]
"""Reads bytes [start, end) of the object. Its errors pass through; a short answer is refused."""

GULP_BYTES = 1 << 20


class SegmentReader:
    """Ranged plaintext of one segment. Several tasks may read at once; the tail is fetched and verified once."""

    def __init__(self, key: PayloadKey, size: int, fetch: Fetch, *, trailer: bytes | None = None) -> None:
        """RefusedError when no object can have this size.

        ``trailer``: as it is known otherwise; it is verified like the object's own, which is then not fetched.
        """
        self._opener = RangeOpener(key, size, last_inline=trailer is not None)
        self._fetch = fetch
        self._trailer = trailer
        self._lock = asyncio.Lock()

    @property
    def layout(self) -> Layout:
        """Where its chunks lie, by the object's size and the key."""
        return self._opener.layout

    @property
    def plain_len(self) -> int:
        """From the object's size; verified by the time anything is released."""
        return self._opener.plain_len

    async def trailer(self) -> Trailer:
        """The verified trailer. RefusedError, or what ``fetch`` raises."""
        if self._trailer is not None:
            return self._opener.trailer or self._opener.accept_trailer(self._trailer)
        async with self._lock:
            if self._opener.trailer is None:
                return self._opener.accept_tail(await self._fetch(*self._opener.tail_range))
            return self._opener.trailer

    async def read(self, start: int, end: int, fetch: Fetch | None = None) -> memoryview:
        """Plaintext [start, end), clamped to what exists. The result is writable and the caller's own.

        ``fetch``: where the range comes from, if not from where the tail does.
        """
        # The tail and the range at once: nothing is opened before both are here and the tail has been verified.
        _, sealed = await asyncio.gather(self.trailer(), self._sealed(start, end, fetch or self._fetch))
        while not self._opener.ready:
            await self.trailer()  # somebody else was done with this segment, and had it forgotten
        return self._opener.open(start, end, sealed)

    def forget(self) -> None:
        """Keep no opened footage: the tail is fetched and verified again when something else is read."""
        self._opener.forget()

    async def _sealed(self, start: int, end: int, fetch: Fetch) -> bytes:
        sealed_start, sealed_end = self._opener.sealed_range(start, end)
        return await fetch(sealed_start, sealed_end) if sealed_start < sealed_end else b""

    async def stream(self, start: int, end: int) -> AsyncIterator[memoryview]:
        """The same in pieces of about GULP_BYTES, each ending at a chunk's end: no chunk is fetched twice."""
        await self.trailer()
        start, end = self._opener.clamp(start, end)
        step = max(GULP_BYTES, self._opener.chunk_size)
        while start < end:
            stop = min(end, (start // step + 1) * step)
            yield await self.read(start, stop)
            start = stop
