"""A lean HTTP client for clips: one kept connection, the body counted and dropped.

It shares a core with what it reads from, so it reads into one buffer that it never looks at.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from benchmarks.frame.process import ChildError

_BUFFER_BYTES = 1 << 18
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """One answer: until its first byte of body and until its last, seconds since it was asked for."""

    first_s: float
    whole_s: float
    size_bytes: int


class _Connection(asyncio.BufferedProtocol):
    """One answer at a time, of which the head is kept, and the body where it is not a clip."""

    def __init__(self) -> None:
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._head = b""
        self._left = 0
        self._began_s = self._first_s = 0.0
        self._done: asyncio.Future[Got] | None = None
        self._size = 0
        self._refused = b""  # the status line of an answer other than 200 and 206, then its body
        self.transport: asyncio.Transport | None = None
        self.lost = False

    def ask(self, request: bytes) -> asyncio.Future[Got]:
        """Send a request; the future holds its timings, or ChildError when the connection is lost."""
        assert self.transport is not None
        self._head, self._first_s, self._refused = b"", 0.0, b""
        self._done = asyncio.get_running_loop().create_future()
        self._began_s = time.perf_counter()
        self.transport.write(request)
        return self._done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Read the head of the answer, then count the bytes of its body."""
        at = 0
        if not self._head.endswith(_END):
            data = self._head + self._buffer[:nbytes]
            end = data.find(_END) + len(_END)
            if end < len(_END):
                self._head = data
                return
            at = end - len(self._head)
            self._head = data[:end]
            self._begin(self._head.decode("latin-1").split("\r\n"))
        if nbytes > at:
            self._first_s = self._first_s or time.perf_counter() - self._began_s
            self._left -= nbytes - at
            if self._refused:
                self._refused += self._buffer[at:nbytes]
        if self._left <= 0:
            self._finish()

    def _begin(self, head: list[str]) -> None:
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        self._left = self._size = int(fields.get("content-length", "0"))
        if head[0].split(" ")[1] not in ("200", "206"):
            self._refused = head[0].encode() + b": "

    def _finish(self) -> None:
        done, self._done = self._done, None
        if done is None or done.done():
            return
        if self._refused:
            done.set_exception(ChildError(f"A GET was answered with {self._refused[:300].decode(errors='replace')}"))
            return
        whole_s = time.perf_counter() - self._began_s
        done.set_result(Got(first_s=self._first_s, whole_s=whole_s, size_bytes=self._size))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request under way with ChildError."""
        self.lost = True
        if self._done is not None and not self._done.done():
            self._done.set_exception(ChildError(f"A connection for clips was lost, {self._left} bytes short."))


class Reader:
    """Made by ``connect()``. One request at a time."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._connection: _Connection

    @classmethod
    async def connect(cls, host: str, port: int, tls: ssl.SSLContext | None) -> Reader:
        """Connected, TLS included."""
        made = cls(host, port, tls)
        await made._open()
        return made

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        _, self._connection = await loop.create_connection(_Connection, self._host, self._port, ssl=self._tls)

    async def get(self, target: str, headers: str = "") -> Got:
        """Connects anew, before the clock runs, when the server gave an idle connection up. ChildError if refused."""
        if self._connection.lost:
            await self._open()
        request = f"GET {target} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{headers}\r\n"
        return await self._connection.ask(request.encode())

    async def close(self) -> None:
        """Whatever the other side makes of it."""
        if self._connection.transport is not None:
            self._connection.transport.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while not self._connection.lost:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
