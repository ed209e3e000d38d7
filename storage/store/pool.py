"""Blocking connections for asyncio: a bounded number of threads; every call has a deadline and can be cancelled."""

from __future__ import annotations

import asyncio
import http.client
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import TypeVar

from runtime.settings import StoreSettings
from storage.store.connection import BodyError, S3Connection
from storage.store.errors import DigestError, network_errors

T = TypeVar("T")


class ConnectionPool:
    """Runs at most ``size`` calls concurrently; further callers wait. Reuses the most recently used connection."""

    def __init__(self, settings: StoreSettings, size: int) -> None:
        self._settings = settings
        self._tls = ssl.create_default_context(cafile=settings.tls_ca) if settings.secure else None
        self._idle: list[S3Connection] = []
        self._slots = asyncio.Semaphore(size)
        self._threads = ThreadPoolExecutor(max_workers=size, thread_name_prefix="store")
        self._closed = False

    async def run(self, call: Callable[[S3Connection], T], *, deadline_s: float) -> T:
        """Run ``call`` with a connection in a thread and return its result.

        Replaces a kept connection that the server has closed. StoreAwayError: the connection broke, the server is
        silent, or ``deadline_s`` passed; the outcome is unknown. DigestError: the local file changed.
        """
        async with self.lease() as lease:
            result = await lease.run(call, deadline_s=deadline_s)
            lease.keep()
            return result

    def lease(self) -> Lease:
        """Return an async context manager: a connection for several calls, closed at the end unless ``keep()``."""
        return Lease(self)

    async def take(self) -> S3Connection:
        """Wait for a free slot and return a connection, kept alive or new. Return it by ``give_back()``."""
        await self._slots.acquire()
        return self._idle.pop() if self._idle else self.new_connection()

    def give_back(self, connection: S3Connection, *, good: bool) -> None:
        """Free the slot. ``good``: keep the connection alive for the next caller."""
        if good and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()
        self._slots.release()

    async def close(self) -> None:
        """Close idle connections. Calls in progress finish, and their connections close afterwards."""
        self._closed = True
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def new_connection(self) -> S3Connection:
        """Return a connection that has not connected yet."""
        return S3Connection(self._settings, self._tls)

    async def in_thread(self, call: Callable[[S3Connection], T], connection: S3Connection, deadline_s: float) -> T:
        """Run ``call`` in a thread. On a timeout or cancellation, end the call and wait until its thread is free."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, call, connection)
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.shield(future)
        except BaseException:
            # The thread would otherwise hold its slot, and continue a request whose caller is gone.
            connection.abort()
            with suppress(OSError, http.client.HTTPException, BodyError):
                await asyncio.shield(future)
            connection.close()
            raise


class Lease:
    """One connection, held for several calls.

    A class and not an ``@asynccontextmanager``, whose generator could not be closed while the event loop shuts down.
    """

    _connection: S3Connection

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._begun = False
        self._keep = False

    async def __aenter__(self) -> Lease:
        self._connection = await self._pool.take()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.give_back(self._connection, good=self._keep)

    async def run(self, call: Callable[[S3Connection], T], *, deadline_s: float) -> T:
        """Run ``call`` in a thread. Errors as ``ConnectionPool.run()``.

        The first call of a lease is repeated on a new connection when the server has closed the kept one: every
        request of this client may be sent twice. A later call is not repeated, since it continues a response.
        """
        with network_errors():
            try:
                while True:
                    reused = self._connection.used and not self._begun
                    try:
                        result = await self._pool.in_thread(call, self._connection, deadline_s)
                    except (ConnectionError, http.client.HTTPException):
                        if not reused:
                            raise
                        self._connection = self._pool.new_connection()
                    else:
                        self._begun = True
                        return result
            except BodyError as exc:
                raise DigestError(f"The file to upload has changed: {exc}.") from exc

    def keep(self) -> None:
        """Declare the last response read to its end: the connection stays alive for others."""
        self._connection.end()
        self._keep = True
