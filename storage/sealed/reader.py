"""Reads plaintext ranges of a sealed segment through a ``fetch(start, end)``: the asyncio shell of RangeOpener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from storage.sealed.format import ChunkLayout, Trailer
from storage.sealed.opener import PayloadKey, RangeOpener

Fetch = Callable[[int, int], Awaitable[bytes]]
"""Returns bytes [start, end) of the object. Its errors reach the caller; a short result is refused."""

STREAM_PIECE_BYTES = 1 << 20


class SegmentReader:
    """Reads ranges of one segment. Several tasks may read concurrently; the tail is fetched and verified once."""

    def __init__(self, key: PayloadKey, size: int, fetch: Fetch, *, trailer: bytes | None = None) -> None:
        """``size``: the object's size by the catalogue's row. RefusedError when no object can have this size.

        ``trailer``: the trailer by the catalogue's row. The reader verifies it like the object's own, and then does
        not fetch the object's.
        """
        self._opener = RangeOpener(key, size, last_inline=trailer is not None)
        self._fetch = fetch
        self._trailer = trailer
        self._lock = asyncio.Lock()

    @property
    def layout(self) -> ChunkLayout:
        """Positions of the chunks in the object, computed from its size and the key's chunk size."""
        return self._opener.layout

    @property
    def plain_len(self) -> int:
        """Bytes of plaintext, computed from the object's size; verified before ``read()`` returns anything."""
        return self._opener.plain_len

    async def trailer(self) -> Trailer:
        """Return the verified trailer. RefusedError, or what ``fetch`` raises."""
        if self._trailer is not None:
            return self._opener.trailer or self._opener.accept_trailer(self._trailer)
        # Concurrent first reads would each fetch and verify the tail.
        async with self._lock:
            if self._opener.trailer is None:
                return self._opener.accept_tail(await self._fetch(*self._opener.tail_range))
            return self._opener.trailer

    async def read(self, start: int, end: int, fetch: Fetch | None = None) -> memoryview:
        """Return plaintext [start, end), clamped. The result is writable and belongs to the caller.

        ``fetch``: the source of the range, when it differs from the source of the tail. RefusedError, or what
        ``fetch`` raises.
        """
        # Fetch tail and range concurrently, to save a round trip: open() decrypts only after the tail is verified.
        _, sealed = await asyncio.gather(self.trailer(), self._sealed(start, end, fetch or self._fetch))
        while not self._opener.ready:
            await self.trailer()  # another task called forget() while this one fetched
        return self._opener.open(start, end, sealed)

    def forget(self) -> None:
        """Drop decrypted footage. The next read fetches and verifies the tail again."""
        self._opener.forget()

    async def _sealed(self, start: int, end: int, fetch: Fetch) -> bytes:
        sealed_start, sealed_end = self._opener.sealed_range(start, end)
        return await fetch(sealed_start, sealed_end) if sealed_start < sealed_end else b""

    async def stream(self, start: int, end: int) -> AsyncIterator[memoryview]:
        """Yield plaintext [start, end) in pieces of about STREAM_PIECE_BYTES. Errors as ``read()``.

        Each piece ends at a chunk boundary: no chunk is fetched twice.
        """
        await self.trailer()
        if self.plain_len == 0:
            await self.read(0, end)  # nothing to yield; its last chunk has to say so
        start, end = self._opener.clamp(start, end)
        # Both are powers of two, so that a step is a whole number of chunks.
        step = max(STREAM_PIECE_BYTES, self._opener.chunk_size)
        while start < end:
            stop = min(end, (start // step + 1) * step)
            yield await self.read(start, stop)
            start = stop
