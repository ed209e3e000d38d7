"""Unix sockets of live pictures: the kernel says who is at the other end, and both ends look."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from custodian.address import socket_address
from custodian.protocol import peer_of
from custodian.server import Strangers
from domain.errors import TallenneError
from live.errors import SocketError

_log = logging.getLogger(__name__)
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(path: Path, uids: Collection[int], serve: Serve) -> AsyncIterator[None]:
    """Serve each connection of these users by a task of its own, until the end of the block. SocketError, OSError.

    Other users are cut off before a byte of theirs is read; the log names each of them once a minute.
    """
    tasks: set[asyncio.Task[None]] = set()
    strangers = Strangers()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection, if its user may connect."""
        try:
            if (uid := peer_of(writer).who) not in uids:
                strangers.note(uid, asyncio.get_running_loop().time())
                return
            await serve(reader, writer)
        except (TallenneError, OSError) as error:
            _log.info("a connection to %s ended: %s", path.name, error)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Start a connection's task."""
        task = asyncio.get_running_loop().create_task(one(reader, writer), name=f"connection to {path.name}")
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(lambda _: writer.close())  # one that is cancelled before its first step

    _clear_away(path)
    with socket_address(path) as address:
        server = await asyncio.start_unix_server(accept, address)
    _admit(path, uids)
    try:
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # closed transports end in the loop's next turn
        _clear_away(path)


async def connect(path: Path, uids: Collection[int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a socket that one of these users listens at. SocketError: another does; OSError."""
    with socket_address(path) as address:
        reader, writer = await asyncio.open_unix_connection(address)
    if (uid := peer_of(writer).who) not in uids:
        writer.close()
        raise SocketError(f"User {uid} listens at {path}, who is none of the expected ones.", "Remove that socket.")
    return reader, writer


def _admit(path: Path, uids: Collection[int]) -> None:
    """The peer's credentials decide, so that one rule holds for every layout."""
    path.chmod(0o600 if set(uids) <= {os.geteuid()} else 0o666)


def _clear_away(path: Path) -> None:
    """Remove what a process that died left behind."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketError(f"{path} is in the way.", "Remove it.")
    path.unlink()
