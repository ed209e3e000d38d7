"""Before PostgreSQL's socket: now and then what the server answered never arrives, and the connection is gone.

The statement was executed, the client cannot know: the commit whose acknowledgement is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from runtime.settings import DatabaseSettings

_GREETINGS = 8  # answers of a connection that are let through: signing in is not what is to be broken


@dataclass
class DeafDatabase:
    """``loses``: of the answers, the part that is lost. ``lost``: how many were."""

    settings: DatabaseSettings
    loses: float
    dice: random.Random
    lost: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, server = await asyncio.open_unix_connection(f"{self.settings.host}/.s.PGSQL.{self.settings.port}")
        except OSError:
            writer.transport.abort()
            return
        asking = asyncio.create_task(_pass_on(reader, server))
        try:
            for number in range(1 << 62):
                data = await answers.read(1 << 16)
                if not data:
                    return
                if number > _GREETINGS and self.dice.random() < self.loses:
                    self.lost += 1
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # either side has gone: so does the other
        finally:
            asking.cancel()
            writer.transport.abort()
            server.close()

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            server.write(data)
            await server.drain()
    server.close()


@asynccontextmanager
async def deaf_database(
    settings: DatabaseSettings, *, loses: float, dice: random.Random
) -> AsyncIterator[tuple[DeafDatabase, DatabaseSettings]]:
    """And how to connect through it."""
    with tempfile.TemporaryDirectory(prefix="tallenne-deaf-") as folder:
        made = DeafDatabase(settings, loses, dice)
        path = Path(folder) / f".s.PGSQL.{settings.port}"
        server = await asyncio.start_unix_server(made.accept, path)
        try:
            yield made, replace(settings, host=folder)
        finally:
            server.close()
            await made.close()
