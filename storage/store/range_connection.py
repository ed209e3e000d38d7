"""Ranges of objects, read by the event loop itself into preallocated buffers.

A clip consists of small pieces: passing each one from a thread to the loop takes longer than decrypting it
(benchmarks/RESULTS.md, "Object store client"). This client handles the common response only: status 200 or 206 with a
content-length on a kept-alive connection. For any other response S3Store asks again through pool.py, whose
``http.client`` implements the rest of HTTP.
"""

from __future__ import annotations

import asyncio
import http.client
import io
import ssl
from collections import deque
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Final, cast
from urllib.parse import urlsplit

from runtime.settings import StoreSettings
from storage.store import connection
from storage.store.connection import S3Request, Signer
from storage.store.errors import StoreProtocolError, network_errors

PIECE_BYTES: Final = 128 * 1024
_HEAD_MAX: Final = 32 * 1024
_BUFFERED_PIECES_MAX: Final = 2  # with so many pieces unread, the connection stops reading its socket
_PLAIN: Final = (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.OK)


class RangeConnection(asyncio.BufferedProtocol):
    """One connection, one response at a time: ``send()``, ``head()``, then ``piece()`` until ``length`` bytes came.

    ``status``, ``headers`` and ``length`` describe the response; ``length`` is -1 when the server states none. A slow
    reader stops the server through TCP: at most ``_BUFFERED_PIECES_MAX`` pieces wait in memory.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._head = bytearray(_HEAD_MAX)
        self._head_fill = 0
        self._in_head = False
        self._left = 0  # bytes of the body still to receive
        self._piece = bytearray()
        self._fill = 0
        self._pieces: deque[bytearray] = deque()
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self.answered = False  # whether a byte of the current response has arrived
        self.status, self.length = 0, -1
        self.headers = http.client.HTTPMessage()

    @property
    def idle(self) -> bool:
        """Whether the connection is open and its last response was read to the end, so that it can be reused."""
        complete = not self._in_head and not self._left and not self._pieces
        return complete and self._error is None and self._transport is not None and not self._transport.is_closing()

    def send(self, request: bytes) -> None:
        """Send a packed request. ``head()`` raises the OSError when the connection is broken."""
        self._in_head, self._head_fill, self.answered = True, 0, False
        if self._transport is not None and self._error is None:
            self._transport.write(request)

    async def head(self) -> None:
        """Wait for the response's head. OSError, StoreProtocolError."""
        while self._in_head:
            await self._changed()

    async def piece(self, within_s: float) -> bytearray:
        """Return the next piece of the body, at most PIECE_BYTES; it belongs to the caller.

        OSError: the response ends early. TimeoutError: nothing came for ``within_s`` or STALL_TIMEOUT_S seconds.
        """
        if not self._pieces:
            async with asyncio.timeout(min(within_s, connection.STALL_TIMEOUT_S)):
                while not self._pieces:
                    await self._changed()
        piece = self._pieces.popleft()
        if (
            self._paused
            and self._transport is not None
            and not self._transport.is_closing()
            and len(self._pieces) < _BUFFERED_PIECES_MAX
        ):
            self._paused = False
            self._transport.resume_reading()
        return piece

    def close(self) -> None:
        """Close the connection immediately, also within a response."""
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio.BufferedProtocol, called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.BaseProtocol."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go: the head's buffer, or the rest of the current piece."""
        if self._in_head or not self._left:
            return memoryview(self._head)[self._head_fill :]
        if not self._piece:
            self._piece, self._fill = bytearray(min(PIECE_BYTES, self._left)), 0
        return memoryview(self._piece)[self._fill :]

    def buffer_updated(self, nbytes: int) -> None:
        """Account for ``nbytes`` that the loop wrote into the last ``get_buffer()``."""
        if self._in_head:
            self._head_fill += nbytes
            self.answered = True
            self._parse_head()
        elif not self._left:
            self._fail(StoreProtocolError("The object store sends bytes without a request."))
        else:
            self._received(nbytes)

    def eof_received(self) -> bool:
        """Let the transport close; ``connection_lost()`` follows."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake the reader with an error, in case it waits for more."""
        self._fail(exc if isinstance(exc, OSError) else ConnectionResetError("the response ends early"))

    def _parse_head(self) -> None:
        """Parse the head once it is complete; bytes behind it begin the body."""
        end = self._head.find(b"\r\n\r\n", 0, self._head_fill)
        if end < 0:
            if self._head_fill == len(self._head):
                self._fail(StoreProtocolError(f"The head of the object store's response exceeds {_HEAD_MAX} bytes."))
            return
        end += 4
        try:
            self._parse_fields(bytes(self._head[:end]))
        except (ValueError, http.client.HTTPException):
            self._fail(StoreProtocolError("The object store's response is not HTTP."))
            return
        early, self._head_fill, self._in_head = bytes(self._head[end : self._head_fill]), 0, False
        self._left = self.length if self.plain else 0
        if self.plain and len(early) > self._left:
            self._fail(StoreProtocolError("The object store sends more than it announced."))
        while self._left and early:
            view = self.get_buffer(-1)
            size = min(len(view), len(early))
            view[:size], early = early[:size], early[size:]
            self._received(size)
        self._wake()

    def _parse_fields(self, head: bytes) -> None:
        line, _, rest = head.partition(b"\r\n")
        version, status, _ = (line + b"  ").split(b" ", 2)
        if not version.startswith(b"HTTP/1."):
            raise ValueError(version)
        self.status = int(status)
        self.headers = http.client.parse_headers(io.BytesIO(rest))
        coded = "transfer-encoding" in self.headers or self.headers.get("content-encoding", "identity") != "identity"
        self.length = -1 if coded else int(self.headers.get("content-length", -1))

    @property
    def plain(self) -> bool:
        """Whether this client reads the response's body. After any other response the connection must be closed."""
        return self.status in _PLAIN and self.length >= 0

    def _received(self, size: int) -> None:
        """Account for bytes of the body; stop reading the socket while the reader is behind."""
        self._fill += size
        self._left -= size
        if self._fill == len(self._piece):
            self._pieces.append(self._piece)
            self._piece = bytearray()
            behind = len(self._pieces) >= _BUFFERED_PIECES_MAX and self._left
            if behind and not self._paused and self._transport is not None:
                self._paused = True
                self._transport.pause_reading()
            self._wake()

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _changed(self) -> None:
        """Wait until something arrives. Raises the connection's error."""
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter


class _Exchange:
    """Context manager of one response. A class: a generator could not be closed while the event loop shuts down."""

    def __init__(self, pool: RangePool, request: S3Request) -> None:
        self._pool, self._request = pool, request

    async def __aenter__(self) -> RangeConnection:
        self._connection = await self._pool.take(self._request)
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.give_back(self._connection, good=error is None)
        if isinstance(error, OSError):  # TimeoutError is a subclass
            with network_errors():
                raise error


class RangePool:
    """Reads at most ``size`` responses concurrently; further callers wait. Reuses the last used connection first."""

    def __init__(self, settings: StoreSettings, size: int) -> None:
        self._tls = ssl.create_default_context(cafile=settings.tls_ca) if settings.secure else None
        address = urlsplit(f"//{settings.endpoint}")
        self._host, self._port = address.hostname or "", address.port or (443 if settings.secure else 80)
        self._signer = Signer(settings)
        self._slots = asyncio.Semaphore(size)
        self._idle: list[RangeConnection] = []

    def exchange(self, request: S3Request) -> _Exchange:
        """Return an async context manager that sends ``request`` and yields the connection once the head has come.

        OSError and TimeoutError within the block leave it as StoreAwayError.
        """
        return _Exchange(self, request)

    async def take(self, request: S3Request) -> RangeConnection:
        """Wait for a free slot, send ``request``, wait for the head. StoreAwayError, StoreProtocolError."""
        await self._slots.acquire()
        try:
            with network_errors():
                async with asyncio.timeout(connection.STALL_TIMEOUT_S):
                    return await self._started(request)
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, ranges: RangeConnection, *, good: bool) -> None:
        """Free the slot of a connection from ``take()``. ``good``: keep it alive if it can be reused."""
        if good and ranges.idle and ranges.plain:
            self._idle.append(ranges)
        else:
            ranges.close()
        self._slots.release()

    def close(self) -> None:
        """Close idle connections."""
        for ranges in self._idle:
            ranges.close()
        self._idle.clear()

    async def _started(self, request: S3Request) -> RangeConnection:
        """Send on a kept connection, or on a new one when the server has closed the kept ones."""
        while self._idle:
            ranges = self._idle.pop()
            if not ranges.idle:
                ranges.close()
                continue
            with suppress(OSError):
                return await self._sent(ranges, request)
            if ranges.answered:
                raise ConnectionResetError("the response ends early")
        return await self._sent(await self._connected(), request)

    async def _sent(self, ranges: RangeConnection, request: S3Request) -> RangeConnection:
        try:
            ranges.send(self._packed(request))
            await ranges.head()
        except BaseException:
            ranges.close()
            raise
        return ranges

    async def _connected(self) -> RangeConnection:
        loop = asyncio.get_running_loop()
        name = self._host if self._tls is not None else None
        _, ranges = await loop.create_connection(
            RangeConnection, self._host, self._port, ssl=self._tls, server_hostname=name
        )
        return ranges

    def _packed(self, request: S3Request) -> bytes:
        path, headers = self._signer.signed(request)
        fields = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        return f"{request.method} {path} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")
