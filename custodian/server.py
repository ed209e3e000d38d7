"""The custodian's sockets: who may connect, and what each may call. ``operations.py`` does the work."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import stat
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from custodian.address import socket_address
from custodian.errors import CertificateError, CustodianMisuseError, code_of
from custodian.protocol import (
    ANSWER_MAX_BYTES,
    REQUEST_MAX_BYTES,
    Peer,
    pack_message,
    peer_of,
    read_message,
)
from custodian.tls import HANDSHAKE_S, good_until_s, name_of, server_context, why_refused
from domain.errors import TallenneError
from runtime.settings import CustodianListen

_log = logging.getLogger(__name__)

CONNECTIONS_MAX: Final = 128
"""Of one caller. Where there are more, the one that has asked nothing for longest makes room."""
HANDSHAKES_MAX: Final = 64
"""At once, of callers by TLS: who they are is known when the handshake has ended."""
_ACCEPT_AGAIN_S: Final = 0.2
IDLE_S: Final = 30.0
"""A connection that asks nothing for so long is closed."""
STRANGERS_EVERY_S: Final = 60.0
"""The log names a caller who may not connect once in so long, with the number of attempts."""
STRANGERS_LINES_MAX: Final = 10
"""The limit for all of them together in that time: an attacker has as many addresses as it likes."""

_STRANGERS_KEPT: Final = 64

PeerOf = Callable[[asyncio.StreamWriter], Peer]
Operation = Callable[[dict[str, Any], Peer], Awaitable[dict[str, Any]]]


class Connections:
    """One caller's connections. The one that has asked nothing for longest makes room for a new one."""

    def __init__(self) -> None:
        self._idle: OrderedDict[asyncio.StreamWriter, None] = OrderedDict()
        self._busy: set[asyncio.StreamWriter] = set()

    def admit(self, writer: asyncio.StreamWriter) -> bool:
        """Whether there is room, which an idle connection makes by being cut."""
        if len(self._idle) + len(self._busy) >= CONNECTIONS_MAX:
            if not self._idle:
                return False
            longest, _ = self._idle.popitem(last=False)
            longest.transport.abort()  # its task reads the end of the stream
        self._idle[writer] = None
        return True

    def waits(self, writer: asyncio.StreamWriter) -> None:
        """It was answered, and may ask again."""
        self._busy.discard(writer)
        self._idle[writer] = None
        self._idle.move_to_end(writer)

    def asks(self, writer: asyncio.StreamWriter) -> None:
        """Its question is being answered."""
        self._idle.pop(writer, None)
        self._busy.add(writer)

    def gone(self, writer: asyncio.StreamWriter) -> None:
        """It has ended."""
        self._idle.pop(writer, None)
        self._busy.discard(writer)


class Strangers:
    """Those who may not connect. Their attempts are counted; the log grows by a line a minute for each of them."""

    def __init__(self, words: str = "user %r is not allowed to connect and tried to, %d times lately") -> None:
        """``words``: of a line, for who it is and the number of attempts."""
        self.count = 0
        self._words = words
        self._of_user: OrderedDict[int | str, tuple[float, int]] = (
            OrderedDict()
        )  # when they were logged, attempts since
        self._since_s, self._lines, self._unnamed = -STRANGERS_EVERY_S, 0, 0

    def note(self, who: int | str, mono_s: float, why: str = "") -> None:
        """A user, a name in a certificate or an address tried to connect. ``why``: what else is known."""
        self.count += 1
        logged_s, attempts = self._of_user.get(who, (-STRANGERS_EVERY_S, 0))
        attempts += 1
        if mono_s - logged_s >= STRANGERS_EVERY_S:
            if self._has_room(mono_s):
                _log.warning(self._words + (": %s" if why else "%s"), who, attempts, why)
                logged_s, attempts = mono_s, 0
            else:
                self._unnamed += 1
        self._of_user[who] = logged_s, attempts
        self._of_user.move_to_end(who)
        if len(self._of_user) > _STRANGERS_KEPT:
            self._of_user.popitem(last=False)

    def _has_room(self, mono_s: float) -> bool:
        """Whether the log takes another line now; the first one in a while says how much was left out before."""
        if mono_s - self._since_s >= STRANGERS_EVERY_S:
            if self._unnamed:
                _log.warning("%d more attempts to connect were refused and not named here", self._unnamed)
            self._since_s, self._lines, self._unnamed = mono_s, 0, 0
        self._lines += 1
        return self._lines <= STRANGERS_LINES_MAX


class Server:
    """Answers requests in order, one at a time per connection.

    Each caller has a limit of its own. Where it is reached, the connection that has been silent for longest is cut: a
    client asks as soon as it has connected, so that a silent connection is of no use to it.
    """

    def __init__(self, operations: Mapping[str, Operation], allowed: Mapping[str, Collection[int | str]]) -> None:
        """``allowed``: who may call each operation, by user id or name. Who is in none of the lists cannot connect."""
        self._operations = operations
        self._allowed = allowed
        self._connect = frozenset(who for callers in allowed.values() for who in callers)
        self._open: set[asyncio.Task[None]] = set()
        self._of_user: defaultdict[int | str, Connections] = defaultdict(Connections)
        self._strangers = Strangers()
        self._refused = Strangers("a TLS handshake of %s failed, %d times lately")

    @property
    def strangers(self) -> int:
        """How many attempts to connect were turned away."""
        return self._strangers.count + self._refused.count

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[None]:
        """Serves inside the block; closes every connection on leaving. CustodianMisuseError."""
        _clear_away(path)
        with socket_address(path) as address:
            server = await asyncio.start_unix_server(partial(self._accept, peer_of), address, limit=REQUEST_MAX_BYTES)
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

    @asynccontextmanager
    async def listening_by_tls(self, listen: CustodianListen) -> AsyncIterator[None]:
        """For callers on other machines, inside ``listening()``. CertificateError, CustodianMisuseError.

        A caller without a certificate of the authority's gets no further than the handshake. Any other hears at once
        whether its name is known.
        """
        loop, context = asyncio.get_running_loop(), server_context(listen.files)
        try:
            family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
            listener = socket.create_server((listen.host, listen.port), family=family)
        except OSError as exc:
            raise CustodianMisuseError(
                f"The custodian cannot listen at {listen.host}:{listen.port} ({exc.strerror}).",
                "Correct [custodian.listen]: an address of this machine, and a port that nothing else uses.",
            ) from exc
        listener.setblocking(False)
        accepting = loop.create_task(self._handshakes(listener, context), name="custodian handshakes")
        try:
            yield
        finally:
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
            listener.close()

    async def _handshakes(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        """Take callers until cancelled. Where too many are in the handshake, one makes room: the first of the address
        that has most of them, so that an attacker cuts off its own."""
        loop = asyncio.get_running_loop()
        under_way: dict[asyncio.Task[None], str] = {}
        try:
            while True:
                try:
                    connection, address = await loop.sock_accept(listener)
                except OSError:  # this process has no more descriptors: those of the handshakes come back
                    await asyncio.sleep(_ACCEPT_AGAIN_S)
                    continue
                while len(under_way) >= HANDSHAKES_MAX:
                    ((most, _),) = Counter(under_way.values()).most_common(1)
                    first = next(task for task, one in under_way.items() if one == most)
                    self._refused.note(under_way.pop(first), loop.time(), "others came while it was silent")
                    first.cancel()
                task = loop.create_task(self._handshake(connection, address[0], context), name="custodian handshake")
                under_way[task] = address[0]
                task.add_done_callback(lambda done: under_way.pop(done, None))
        finally:
            for task in under_way:
                task.cancel()

    async def _handshake(self, connection: socket.socket, address: str, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=REQUEST_MAX_BYTES, loop=loop)
        made = asyncio.StreamReaderProtocol(reader, partial(self._accept, _named), loop=loop)
        try:
            await loop.connect_accepted_socket(lambda: made, connection, ssl=context, ssl_handshake_timeout=HANDSHAKE_S)
        except OSError as error:  # it showed no certificate of ours, was silent, or has gone
            connection.close()
            self._refused.note(address, loop.time(), why_refused(error))
        except asyncio.CancelledError:
            connection.close()
            raise

    def _admit(self, path: Path) -> None:
        # Who may connect is decided by the peer's credentials, so that one rule holds for every layout.
        users = {who for who in self._connect if isinstance(who, int)}
        path.chmod(0o600 if users <= {os.geteuid()} else 0o666)

    def _accept(self, peer_of_it: PeerOf, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = self._serve(reader, writer, peer_of_it)
        task = asyncio.get_running_loop().create_task(serving, name="custodian connection")
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        # A task that is cancelled before its first step has no finally.
        task.add_done_callback(lambda _: writer.close())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer_of_it: PeerOf) -> None:
        try:
            peer = peer_of_it(writer)
            if peer.who not in self._connect:
                self._strangers.note(peer.who, asyncio.get_running_loop().time())
                if isinstance(peer.who, str):
                    writer.write(pack_message(_error(_unknown(peer.who))))
                return
            if isinstance(peer.who, str):
                writer.write(pack_message({"ok": {}}))
            mine = self._of_user[peer.who]
            if mine.admit(writer):
                try:
                    await self._converse(reader, writer, peer, mine)
                finally:
                    mine.gone(writer)
        except (OSError, TimeoutError):
            pass  # the other side is gone or silent: nothing is owed to it
        except TallenneError as error:
            writer.write(pack_message(_error(error)))
        finally:
            writer.close()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer, mine: Connections
    ) -> None:
        while True:
            mine.waits(writer)
            async with asyncio.timeout(IDLE_S):
                request = await read_message(reader, REQUEST_MAX_BYTES)
            if request is None:
                return
            if time.time() > peer.until_s:
                writer.write(pack_message(_error(_outdated(peer.who))))
                return
            mine.asks(writer)
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
            if operation is None or peer.who not in self._allowed.get(op, ()):
                raise CustodianMisuseError(
                    f"User {peer.who} may not ask the custodian for {op!r}.",
                    "The configuration of the custodian says which users may ask what.",
                )
            return {"ok": await operation(request, peer)}
        except TallenneError as error:
            return _error(error)
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
            return _error(CustodianMisuseError(f"The request {op!r} is malformed."))


def _named(writer: asyncio.StreamWriter) -> Peer:
    return Peer(who=name_of(writer), until_s=good_until_s(writer))


def _unknown(name: str) -> CertificateError:
    return CertificateError(
        f"The custodian does not know the name {name!r} of this certificate.",
        "List the name under `callers` of [custodian.listen] there, or use the certificate that is this role's.",
    )


def _outdated(who: int | str) -> CertificateError:
    return CertificateError(
        f"The certificate of {who!r} is out of date by now.", "Make a new one with `tallenne certificates`."
    )


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
