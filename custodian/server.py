"""The custodian's socket: which users may connect, and what each may call. ``operations.py`` does the work."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from custodian.address import socket_address
from custodian.errors import CustodianMisuseError, code_of
from custodian.protocol import (
    ANSWER_MAX_BYTES,
    REQUEST_MAX_BYTES,
    Peer,
    pack_message,
    peer_of,
    read_message,
)
from domain.errors import TallenneError

_log = logging.getLogger(__name__)

CONNECTIONS_MAX: Final = 128
IDLE_S: Final = 30.0
"""A connection that asks nothing for so long is closed."""

Operation = Callable[[dict[str, Any], Peer], Awaitable[dict[str, Any]]]


class Server:
    """Answers requests in order, one at a time per connection; connections beyond the limit are closed at once."""

    def __init__(self, operations: Mapping[str, Operation], allowed: Mapping[str, Collection[int]]) -> None:
        """``allowed``: for each operation, the user ids that may call it. Users in none of the lists cannot connect."""
        self._operations = operations
        self._allowed = allowed
        self._connect = frozenset(uid for uids in allowed.values() for uid in uids)
        self._open: set[asyncio.Task[None]] = set()
        self.strangers = 0

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[None]:
        """Serves inside the block; closes every connection on leaving. CustodianMisuseError."""
        _clear_away(path)
        with socket_address(path) as address:
            server = await asyncio.start_unix_server(self._accept, address, limit=REQUEST_MAX_BYTES)
        self._admit(path)
        try:
            yield
        finally:
            # No new connections first, then the open ones: otherwise one could begin while the others end.
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)
            _clear_away(path)

    def _admit(self, path: Path) -> None:
        # Who may connect is decided by the peer's credentials, so that one rule holds for every layout.
        path.chmod(0o600 if self._connect <= {os.geteuid()} else 0o666)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer), name="custodian connection")
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        task.add_done_callback(
            lambda _: writer.close()
        )  # a task that is cancelled before its first step has no finally

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer = peer_of(writer)
            if peer.uid not in self._connect:
                self.strangers += 1
                _log.warning("user %d tried to connect and is not allowed to", peer.uid)
                return
            # After the credentials: strangers are counted and logged even when the limit is reached.
            if len(self._open) > CONNECTIONS_MAX:
                return
            await self._converse(reader, writer, peer)
        except (OSError, TimeoutError):
            pass  # the other side is gone or silent: nothing is owed to it
        except TallenneError as error:
            writer.write(pack_message(_error(error)))
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        while True:
            async with asyncio.timeout(IDLE_S):
                request = await read_message(reader, REQUEST_MAX_BYTES)
            if request is None:
                return
            answer = pack_message(await self._answer(request, peer))
            if len(answer) > ANSWER_MAX_BYTES:
                # The client reads at most this much: a longer answer would look like a broken connection.
                answer = pack_message(_error(CustodianMisuseError("The answer is too long.", "Ask for less.")))
            writer.write(answer)
            async with asyncio.timeout(IDLE_S):
                await writer.drain()

    async def _answer(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        op = str(request.pop("op", ""))
        operation = self._operations.get(op)
        try:
            if operation is None or peer.uid not in self._allowed.get(op, ()):
                raise CustodianMisuseError(
                    f"User {peer.uid} may not ask the custodian for {op!r}.",
                    "The configuration of the custodian says which users may ask what.",
                )
            return {"ok": await operation(request, peer)}
        except TallenneError as error:
            return _error(error)
        except (KeyError, ValueError, TypeError):
            return _error(CustodianMisuseError(f"The request {op!r} is malformed."))


def _error(error: TallenneError) -> dict[str, Any]:
    return {"error": {"code": code_of(error), "what": error.what, "remedy": error.remedy}}


def _clear_away(path: Path) -> None:
    """Remove the socket of a custodian that died (the lock on its directory says that none is alive)."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise CustodianMisuseError(f"{path} is in the way.", "Remove it, or configure another socket.")
    path.unlink()
