"""uvicorn inside a role: no signal handling, no access log (addresses hold ids), no waiting for slow senders, no place
for more than a fair share of connections."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.certificates import Certificate
from api.places import Places
from api.problems import Problem
from api.settings import ServeSettings

REQUEST_DEADLINE_S: Final = 15.0
"""From the connection (TLS included) to the end of the first request's headers; likewise of a later one's."""
_GRACE_S: Final = 3
_REFUSED_S: Final = 1.0  # so long a connection without a place stays, so that its answer is read


class _Protocol(H11Protocol):
    """Closes a connection whose first request does not arrive; uvicorn itself looks only between requests.

    One that has no place is told so, and never becomes uvicorn's.
    """

    _late: asyncio.TimerHandle | None = None
    _refused = False
    _address = ""

    def __init__(self, *arguments: Any, places: Places, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._places = places

    def connection_made(self, transport: Any) -> None:
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) else ""
        problem = self._places.take(self._address)
        if problem is not None:
            self._refused = True
            transport.write(_answer(problem))
            self._first = self.loop.call_later(_REFUSED_S, transport.close)
            return
        super().connection_made(transport)
        self._first = self.loop.call_later(REQUEST_DEADLINE_S, self._give_up, transport)

    def eof_received(self) -> None:
        if not self._refused:
            super().eof_received()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
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
        self._first.cancel()
        if self._refused:
            return
        self._places.leave(self._address)
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
        yield


def listen(settings: ServeSettings) -> socket.socket:
    """Bound, so that the port is known before anything is served. OSError."""
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
    places = Places(
        most=settings.connections_max,
        per_address=settings.connections_per_address,
        proxies=settings.trusted_proxies,
    )
    protocol: Any = functools.partial(_Protocol, places=places)
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=32 * 1024,
        ssl_context_factory=_context(certificate),
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]), name="http")
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.01)
        yield task
    finally:
        server.should_exit = True
        await task
        sock.close()


def _context(certificate: Certificate) -> Callable[..., ssl.SSLContext]:
    def make(*_: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(certificate.certificate, certificate.key)
        return context

    return make
