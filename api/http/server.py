"""uvicorn inside a role: no signal handling, no access log (URLs hold ids), deadlines for slow clients.

Connections are accepted here, counted against the limit, and handed to uvicorn.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.http.certificates import Certificate, keep_renewed
from api.http.connection_limit import ConnectionLimit, Place
from api.http.middleware import ByProxy
from api.http.problems import Problem
from api.http.streaming import ABORT, SEND_DEADLINE_S, STREAMED
from api.settings import ServeSettings

REQUEST_DEADLINE_S: Final = 15.0
"""Time for the headers of a request; for the first one from the connection on, TLS included."""
_GRACE_S: Final = 3
"""Answers under way may take so long when the role stops; a clip or live pictures would go on for much longer."""
_MARGIN_S: Final = 2  # then uvicorn would end them, and print a traceback for each
_REFUSED_S: Final = 1.0  # a refused connection stays open this long, so that the client can read the answer
_REFUSED_MAX: Final = 16  # refused connections that get an answer; more are closed without one
_UNREAD_S: Final = 20.0
"""An answer ends after the client has not read for this long. Clips and exports wait longer, for paused players."""
_BACKLOG: Final = 512
_AGAIN_S: Final = 0.2
_log = logging.getLogger(__name__)


class _Protocol(H11Protocol):
    """Closes a connection whose first request does not arrive; uvicorn only checks between requests.

    A connection over the limit is answered here and never reaches uvicorn.
    """

    made = False

    def __init__(self, *, admitted: Place | Problem, leave: Callable[[], None], **named: Any) -> None:
        """``leave``: called once, when the connection has ended."""
        super().__init__(**named)
        self.app = self._abortable(self.app)
        self._leave = leave
        self._place = admitted if isinstance(admitted, Place) else None
        self._refused = admitted if isinstance(admitted, Problem) else None
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._until = self.loop.time() + REQUEST_DEADLINE_S
        self._lost = asyncio.Event()

    def _abortable(self, app: Any) -> ASGIApp:
        """An answer whose reader has lost the right to it ends the connection with what is still in its buffers."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            """Answer; until the connection is lost, where it is ended."""
            scope[ABORT] = self.transport.abort
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:  # by _end_answers() alone; this is the task's last step
                _log.info("an answer broke off: the role stops")
                self.transport.abort()
            if self.transport.is_closing():
                await self._lost.wait()  # uvicorn takes an unfinished answer on an open connection for a mistake

        return run

    def connection_made(self, transport: Any) -> None:
        """Answer 503 and close after a moment if the connection exceeds the limit."""
        self.made = True
        if self._refused is not None:
            transport.write(_answer(self._refused))
            self._first = self.loop.call_later(_REFUSED_S, transport.close)
            return
        super().connection_made(transport)
        self._first = self.loop.call_at(self._until, self._give_up, transport)

    def pause_writing(self) -> None:
        """Start the deadline for a client that reads nothing."""
        super().pause_writing()
        streamed = bool(self.scope and self.scope.get(STREAMED))
        self._unread = self.loop.call_later(SEND_DEADLINE_S if streamed else _UNREAD_S, self.transport.abort)
        if not streamed:
            self._set_place(at_work=False)

    def resume_writing(self) -> None:
        """Stop the deadline: the client reads again."""
        if self._unread is not None:
            self._unread.cancel()
        super().resume_writing()
        self._set_place(at_work=self._is_at_work())

    def on_response_complete(self) -> None:
        """The next request may be here already; until it is, the connection waits."""
        super().on_response_complete()
        self._set_place(at_work=self._is_at_work())

    def _is_at_work(self) -> bool:
        """A whole request is here and its answer is not finished."""
        return self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body

    def _set_place(self, *, at_work: bool) -> None:
        if self._place is not None:
            if at_work:
                self._place.at_work()
            else:
                self._place.waits(self.loop.time())

    def eof_received(self) -> None:
        """Ignore the end of a refused connection's input."""
        if self._refused is None:
            super().eof_received()

    def data_received(self, data: bytes) -> None:
        """Start the deadline of a request with its first bytes; stop it when the request is whole."""
        if self._refused is not None:
            return
        super().data_received(data)
        self._set_place(at_work=self._is_at_work())
        under_way = self.cycle is not None and not self.cycle.response_complete
        if under_way and self._late is not None:
            self._late.cancel()
            self._late = None
        elif not under_way and self._late is None:
            self._late = self.loop.call_later(REQUEST_DEADLINE_S, self._give_up_late)

    def _give_up_late(self) -> None:
        self._late = None
        if (self.cycle is None or self.cycle.response_complete) and not self.transport.is_closing():
            self.transport.close()

    def _give_up(self, transport: asyncio.Transport) -> None:
        served = getattr(self, "cycle", None) is not None
        if not served and not transport.is_closing():
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the deadlines and uncount the connection."""
        self._first.cancel()
        self._lost.set()
        self._leave()
        if self._refused is not None:
            return
        if self._unread is not None:
            self._unread.cancel()
        if self._late is not None:
            self._late.cancel()
        super().connection_lost(exc)


def _answer(problem: Problem) -> bytes:
    response = problem.response()
    headers = [*response.raw_headers, (b"connection", b"close")]
    head = b"".join(b"%s: %s\r\n" % pair for pair in headers)
    return b"HTTP/1.1 %d Service Unavailable\r\n%s\r\n%s" % (response.status_code, head, response.body)


class _Server(uvicorn.Server):
    """Signals belong to the process that runs the role."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the role."""
        yield


class _Ending:
    """Ends a connection that loses its place to another: its handshake, or itself."""

    task: asyncio.Task[None] | None = None
    transport: asyncio.BaseTransport | None = None

    def close(self) -> None:
        """At once: it has nothing to wait for."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
        elif self.task is not None:
            self.task.cancel()


class _Acceptor:
    """Accepts connections while it runs."""

    def __init__(
        self, server: _Server, config: uvicorn.Config, limit: ConnectionLimit, context: ssl.SSLContext
    ) -> None:
        self._server, self._config, self._limit, self._context = server, config, limit, context
        self._begun: set[asyncio.Task[None]] = set()
        self._refusing = 0

    async def run(self, sock: socket.socket) -> None:
        """Serve on a bound socket until the role stops."""
        loop = asyncio.get_running_loop()
        sock.setblocking(False)
        sock.listen(_BACKLOG)
        trouble = ""
        try:
            while True:
                try:
                    conn, peer = await loop.sock_accept(sock)
                except OSError as exc:  # too many open files, or the client has gone already
                    if trouble != (trouble := exc.strerror or type(exc).__name__):
                        _log.warning("a connection could not be accepted: %s", trouble)
                    await asyncio.sleep(_AGAIN_S)
                    continue
                trouble = ""
                self._begin(conn, str(peer[0]))
        finally:
            for task in self._begun:
                task.cancel()
            await asyncio.gather(*self._begun, return_exceptions=True)

    def _begin(self, conn: socket.socket, address: str) -> None:
        ending = _Ending()
        admitted = self._limit.take(address, ending.close, asyncio.get_running_loop().time())
        if isinstance(admitted, Place):
            leave = admitted.leave
        elif self._refusing < _REFUSED_MAX:
            self._refusing += 1
            leave = self._refused_one
        else:
            conn.close()
            return
        ending.task = asyncio.create_task(self._admit(conn, leave, admitted, ending), name="https connection")
        self._begun.add(ending.task)
        ending.task.add_done_callback(self._begun.discard)

    def _refused_one(self) -> None:
        self._refusing -= 1

    async def _admit(
        self, conn: socket.socket, leave: Callable[[], None], admitted: Place | Problem, ending: _Ending
    ) -> None:
        """Start TLS. From now on the end of the connection uncounts it."""
        loop = asyncio.get_running_loop()
        protocol = _Protocol(
            leave=leave,
            admitted=admitted,
            config=self._config,
            server_state=self._server.server_state,
            app_state=self._server.lifespan.state,
            _loop=loop,
        )
        try:
            ending.transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, sock=conn, ssl=self._context, ssl_handshake_timeout=REQUEST_DEADLINE_S
            )
        except (OSError, ssl.SSLError) as exc:
            _log.debug("no TLS with a client: %s", exc)
        finally:
            if not protocol.made:
                conn.close()
                leave()


def listen(settings: ServeSettings) -> socket.socket:
    """Return a bound socket, so that the port is known before anything is served. OSError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((settings.host, settings.port))
    except OSError:
        sock.close()
        raise
    return sock


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, settings: ServeSettings, certificate: Certificate, sock: socket.socket
) -> AsyncIterator[asyncio.Task[None]]:
    """Accepts connections within the block; the task ends early only when something is wrong."""
    limit = ConnectionLimit(
        most=settings.connections_max,
        per_address=settings.connections_per_address,
        proxies=settings.trusted_proxies,
    )
    config = uvicorn.Config(
        ByProxy(app, settings.trusted_proxies) if settings.trusted_proxies else app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE_S + _MARGIN_S,
        h11_max_incomplete_event_size=32 * 1024,
    )
    server = _Server(config)
    context = _context(certificate)
    acceptor, stop = _Acceptor(server, config, limit, context), asyncio.Event()
    task = asyncio.create_task(_serve(server, acceptor, sock, stop), name="http")
    renewing = asyncio.create_task(keep_renewed(context, certificate), name="certificate")
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.01)
        yield task
    finally:
        renewing.cancel()
        stop.set()
        await task
        sock.close()


async def _serve(server: _Server, acceptor: _Acceptor, sock: socket.socket, stop: asyncio.Event) -> None:
    """Serve until ``stop``; then accept no more connections and let the open ones finish."""
    serving = asyncio.create_task(server.serve(sockets=[]), name="uvicorn")
    while not server.started and not serving.done():  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    accepting = asyncio.create_task(acceptor.run(sock), name="accepting")
    stopped = asyncio.create_task(stop.wait(), name="stop of https")
    try:
        await asyncio.wait((serving, accepting, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        accepting.cancel()
        await asyncio.wait((accepting,))
        server.should_exit = True
        ending = asyncio.create_task(_end_answers(server), name="end of answers")
        await serving
        ending.cancel()
    if not accepting.cancelled():
        accepting.result()


async def _end_answers(server: _Server) -> None:
    """End what is still under way after a while, and wait for it: the parts that it uses are closed next."""
    await asyncio.sleep(_GRACE_S)
    if tasks := list(server.server_state.tasks):
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate.certificate, certificate.key)
    return context
