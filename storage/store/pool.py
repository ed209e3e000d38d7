"""Blocking connections used from asyncio: a bounded number of threads, each call under a deadline and cancellable."""

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
from storage.store.connection import BodyError, Connection
from storage.store.errors import DigestError, StoreAwayError

T = TypeVar("T")


class ConnectionPool:
    """At most ``size`` calls at a time; further callers wait. Connections are kept alive, newest used first."""

    def __init__(self, settings: StoreSettings, size: int) -> None:
        self._settings = settings
        self._tls = ssl.create_default_context(cafile=settings.tls_ca) if settings.secure else None
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(size)
        self._threads = ThreadPoolExecutor(max_workers=size, thread_name_prefix="store")
        self._closed = False

    async def run(self, call: Callable[[Connection], T], *, deadline_s: float) -> T:
        """``call`` with a connection, in a thread. A kept connection that turns out dead is replaced once.

        Raises StoreAwayError when the outcome is not known: connection lost, silence, deadline.
        """
        async with self.lent() as loan:
            result = await loan.run(call, deadline_s=deadline_s)
            loan.keep()
            return result

    def lent(self) -> Loan:
        """``async with``: a connection for an exchange of several calls, closed at the end unless it is kept."""
        return Loan(self)

    async def take(self) -> Connection:
        """Waits for a place."""
        await self._places.acquire()
        return self._idle.pop() if self._idle else self.fresh()

    def give_back(self, connection: Connection, *, good: bool) -> None:
        """Kept for the next one if it is ``good``."""
        if good and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()
        self._places.release()

    async def close(self) -> None:
        self._closed = True
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def fresh(self) -> Connection:
        return Connection(self._settings, self._tls)

    async def in_thread(self, call: Callable[[Connection], T], connection: Connection, deadline_s: float) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._threads, call, connection)
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.shield(future)
        except BaseException:
            # Whatever ended the wait: the thread must not go on with a connection nobody waits for.
            connection.abort()
            with suppress(OSError, http.client.HTTPException, BodyError):
                await asyncio.shield(future)
            connection.close()
            raise


class Loan:
    """One connection in the hands of one exchange. Not a generator, as in reading.py."""

    _connection: Connection

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._begun = False
        self._keep = False

    async def __aenter__(self) -> Loan:
        self._connection = await self._pool.take()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.give_back(self._connection, good=self._keep)

    async def run(self, call: Callable[[Connection], T], *, deadline_s: float) -> T:
        """``call`` in a thread. The first call of a loan is repeated on a new connection when a kept one was dead."""
        try:
            while True:
                reused = self._connection.used and not self._begun
                try:
                    result = await self._pool.in_thread(call, self._connection, deadline_s)
                except (ConnectionError, http.client.HTTPException):
                    if not reused:
                        raise
                    self._connection = self._pool.fresh()
                else:
                    self._begun = True
                    return result
        except BodyError as exc:
            raise DigestError(f"What should be sent has changed: {exc}.") from exc
        except TimeoutError as exc:
            raise StoreAwayError("The object store is too slow or silent.", "It will be tried again.") from exc
        except (OSError, http.client.HTTPException) as exc:
            raise StoreAwayError(
                f"The object store does not answer ({type(exc).__name__}).", "It will be tried again."
            ) from exc

    def keep(self) -> None:
        """The exchange is complete: the connection may serve again."""
        self._connection.end()
        self._keep = True
