"""Ranges of objects, read by the event loop itself into buffers of our own.

A clip is read in small pieces, and handing each one over from a thread takes longer than most of what is done with
it (45 % of the role's samples). By itself this won no CPU that could be told from the machine's moods, but nobody waits
for a thread now: fifty clips at once went from 106 to 190 MiB/s. Only the plain case is done here: a kept connection,
200 or 206, a length. Whatever else a server answers is left to the thorough client (pool.py), which asks again.
"""

from __future__ import annotations

import asyncio
import http.client
import io
import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from types import TracebackType
from typing import Final, cast
from urllib.parse import urlsplit

from runtime.settings import StoreSettings
from storage.store import connection
from storage.store.connection import Request, Signer
from storage.store.errors import StoreAwayError, StoreProtocolError

PIECE_BYTES: Final = 128 * 1024
_HEAD_MAX: Final = 32 * 1024
_WAITING_MAX: Final = 2  # pieces that nobody has taken: the socket is then left alone
_PLAIN: Final = (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.OK)


class Reading(asyncio.BufferedProtocol):
    """One connection, one answer at a time: ``ask()``, ``head()``, then ``piece()`` until there is no more.

    status, headers, length: of the answer; length is -1 where the server tells none
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._head = bytearray(_HEAD_MAX)
        self._head_fill = 0
        self._in_head = False
        self._left = 0  # bytes of the body that are still to come
        self._piece = bytearray()
        self._fill = 0
        self._pieces: deque[bytearray] = deque()
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self.answered = False  # a byte of the present answer came
        self.status, self.length = 0, -1
        self.headers = http.client.HTTPMessage()

    @property
    def idle(self) -> bool:
        """Alive, and its last answer was read to its end: it may be asked again."""
        whole = not self._in_head and not self._left and not self._pieces
        return whole and self._error is None and self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes) -> None:
        """Send. OSError from ``head()`` if it cannot be sent."""
        self._in_head, self._head_fill, self.answered = True, 0, False
        if self._transport is not None and self._error is None:
            self._transport.write(request)

    async def head(self) -> None:
        """Until the answer's head is here. OSError, StoreProtocolError."""
        while self._in_head:
            await self._woken()

    async def piece(self, within_s: float) -> bytearray:
        """The next part of the body, the caller's own. OSError when the answer ends early, TimeoutError."""
        if not self._pieces:
            async with asyncio.timeout(min(within_s, connection.STALL_TIMEOUT_S)):
                while not self._pieces:
                    await self._woken()
        piece = self._pieces.popleft()
        if (
            self._paused
            and self._transport is not None
            and not self._transport.is_closing()
            and len(self._pieces) < _WAITING_MAX
        ):
            self._paused = False
            self._transport.resume_reading()
        return piece

    def close(self) -> None:
        """At once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    # -- Called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._in_head or not self._left:
            return memoryview(self._head)[self._head_fill :]
        if not self._piece:
            self._piece, self._fill = bytearray(min(PIECE_BYTES, self._left)), 0
        return memoryview(self._piece)[self._fill :]

    def buffer_updated(self, nbytes: int) -> None:
        if self._in_head:
            self._head_fill += nbytes
            self.answered = True
            self._look_for_head()
        elif not self._left:
            self._fail(StoreProtocolError("The object store sends what nobody asked for."))
        else:
            self._took(nbytes)

    def eof_received(self) -> bool:
        return False  # closes, which is told below

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc if isinstance(exc, OSError) else ConnectionResetError("the answer ends early"))

    def _look_for_head(self) -> None:
        end = self._head.find(b"\r\n\r\n", 0, self._head_fill)
        if end < 0:
            if self._head_fill == len(self._head):
                self._fail(StoreProtocolError("The object store's answer has an endless head."))
            return
        end += 4
        try:
            self._parse(bytes(self._head[:end]))
        except (ValueError, http.client.HTTPException):
            self._fail(StoreProtocolError("The object store does not answer in HTTP."))
            return
        early, self._head_fill, self._in_head = bytes(self._head[end : self._head_fill]), 0, False
        self._left = self.length if self.plain else 0
        if self.plain and len(early) > self._left:
            self._fail(StoreProtocolError("The object store sends more than it announced."))
        while self._left and early:
            view = self.get_buffer(-1)
            size = min(len(view), len(early))
            view[:size], early = early[:size], early[size:]
            self._took(size)
        self._wake()

    def _parse(self, head: bytes) -> None:
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
        """What is read here; the connection is of no more use after any other answer."""
        return self.status in _PLAIN and self.length >= 0

    def _took(self, size: int) -> None:
        self._fill += size
        self._left -= size
        if self._fill == len(self._piece):
            self._pieces.append(self._piece)
            self._piece = bytearray()
            if len(self._pieces) >= _WAITING_MAX and self._left and not self._paused and self._transport is not None:
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

    async def _woken(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter


@contextmanager
def _as_ours() -> Iterator[None]:
    """Errors of the system as StoreAwayError."""
    try:
        yield
    except TimeoutError as exc:
        raise StoreAwayError("The object store is too slow or silent.", "It will be tried again.") from exc
    except OSError as exc:
        raise StoreAwayError(
            f"The object store does not answer ({type(exc).__name__}).", "It will be tried again."
        ) from exc


class _Answering:
    """Not a generator: whoever is ended with the loop, a generator himself, can still leave this in good order."""

    def __init__(self, readings: Readings, request: Request) -> None:
        self._readings, self._request = readings, request

    async def __aenter__(self) -> Reading:
        self._reading = await self._readings.take(self._request)
        return self._reading

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._readings.give_back(self._reading, good=error is None)
        if isinstance(error, OSError):  # TimeoutError is one
            with _as_ours():
                raise error


class Readings:
    """At most ``size`` answers at a time; further callers wait. Connections are kept alive, newest used first."""

    def __init__(self, settings: StoreSettings, size: int) -> None:
        self._tls = ssl.create_default_context(cafile=settings.tls_ca) if settings.secure else None
        where = urlsplit(f"//{settings.endpoint}")
        self._host, self._port = where.hostname or "", where.port or (443 if settings.secure else 80)
        self._signer = Signer(settings)
        self._places = asyncio.Semaphore(size)
        self._idle: list[Reading] = []

    def answer(self, request: Request) -> _Answering:
        """``async with`` gives a Reading: the answer's head is here. The block's errors come out as the store's."""
        return _Answering(self, request)

    async def take(self, request: Request) -> Reading:
        """Waits for a place. StoreAwayError, StoreProtocolError."""
        await self._places.acquire()
        try:
            with _as_ours():
                async with asyncio.timeout(connection.STALL_TIMEOUT_S):
                    return await self._begun(request)
        except BaseException:
            self._places.release()
            raise

    def give_back(self, reading: Reading, *, good: bool) -> None:
        """What ``take()`` gave; kept for the next answer if it is ``good``."""
        if good and reading.idle and reading.plain:
            self._idle.append(reading)
        else:
            reading.close()
        self._places.release()

    def close(self) -> None:
        for reading in self._idle:
            reading.close()
        self._idle.clear()

    async def _begun(self, request: Request) -> Reading:
        """A kept connection that turns out dead is replaced."""
        while self._idle:
            reading = self._idle.pop()
            if not reading.idle:
                reading.close()
                continue
            with suppress(OSError):
                return await self._asked(reading, request)
            if reading.answered:
                raise ConnectionResetError("the answer ends early")
        return await self._asked(await self._connected(), request)

    async def _asked(self, reading: Reading, request: Request) -> Reading:
        try:
            reading.ask(self._packed(request))
            await reading.head()
        except BaseException:
            reading.close()
            raise
        return reading

    async def _connected(self) -> Reading:
        loop = asyncio.get_running_loop()
        name = self._host if self._tls is not None else None
        _, reading = await loop.create_connection(Reading, self._host, self._port, ssl=self._tls, server_hostname=name)
        return reading

    def _packed(self, request: Request) -> bytes:
        path, headers = self._signer.signed(request)
        fields = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        return f"{request.method} {path} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")
