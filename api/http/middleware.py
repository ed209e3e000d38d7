"""Middleware of every answer: headers for the browser, a limit on bodies, no unsafe request from another site."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.http.origin import is_same_origin, target_of
from api.http.priority import Priority
from api.http.problems import Problem
from api.metrics.counters import Metrics

_log = logging.getLogger(__name__)

BY_PROXY: Final = "tallenne.by_proxy"
"""In a request's scope: it came from a trusted proxy."""
BODY_MAX_BYTES: Final = 64 * 1024
BODY_DEADLINE_S: Final = 10.0
_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:;"
    " connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class ByProxy:
    """Marks requests that come from a trusted proxy. Outermost: inside it, the client is the one the proxy names."""

    def __init__(self, app: ASGIApp, proxies: Sequence[str]) -> None:
        self._app = ProxyHeadersMiddleware(cast("Any", app), list(proxies))
        self._proxies = frozenset(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        scope[BY_PROXY] = client is not None and client[0] in self._proxies
        await self._app(cast("Any", scope), cast("Any", receive), cast("Any", send))


class Guard:
    """Plain ASGI: bodies of answers pass through untouched and unbuffered."""

    def __init__(self, app: ASGIApp, metrics: Metrics, priority: Priority, *, only_tls: bool) -> None:
        """``only_tls``: send Strict-Transport-Security; only for certificates that browsers trust."""
        self._app = app
        self._metrics = metrics
        self._priority = priority
        self._headers = dict(_HEADERS)
        if only_tls:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        began = time.perf_counter()
        metrics, priority = self._metrics, self._priority
        waits = True

        async def send_with_headers(message: Message) -> None:
            """Send a message, with the headers that every answer has, and count its bytes."""
            nonlocal waits
            if message["type"] == "http.response.body":
                metrics.bytes_sent.inc(len(message.get("body", b"")))
            if message["type"] == "http.response.start":
                waits = False
                priority.begun()
                metrics.answered(scope, message["status"], time.perf_counter() - began)
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                # Everything but static files may hold personal data.
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        priority.arrived()
        try:
            problem = _refusal(scope["method"], Headers(scope=scope), scope)
            if problem is not None:
                await problem.response()(scope, receive, send_with_headers)
                return
            with metrics.at_work.track_inprogress():
                await self._app(scope, _capped(receive), send_with_headers)
        finally:
            if waits:
                priority.begun()


def _refusal(method: str, headers: Headers, scope: Mapping[str, Any]) -> Problem | None:
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_MAX_BYTES:
        return _too_large()
    if method in ("GET", "HEAD", "OPTIONS"):
        return None
    origin = headers.get("origin")
    target = target_of(dict(headers), scope.get("scheme", "https"), by_proxy=bool(scope.get(BY_PROXY)))
    if origin is not None and not is_same_origin(origin, target):
        _log.warning("refused: a request from a page of %.100r, sent to %.100r", origin, target.host)
        return _from_elsewhere()
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return _from_elsewhere()
    return None


def _from_elsewhere() -> Problem:
    return Problem(
        403,
        "origin",
        "The request comes from another site.",
        "Use Tallenne's own pages. Behind a reverse proxy: let it keep the Host header, or send X-Forwarded-Host, and"
        " name its address as trusted_proxies under [serve].",
    )


def _capped(receive: Receive) -> Receive:
    """Limit bodies of unknown length as well, in size and in time."""
    seen = 0
    over = False
    deadline_s = asyncio.get_running_loop().time() + BODY_DEADLINE_S  # of the whole body, not of each piece

    async def capped() -> Message:
        """Receive the next message of the body; Problem 408 when it is late, 413 when it is too long."""
        nonlocal seen, over
        if over:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline_s):
                message = await receive()
        except TimeoutError:
            raise Problem(408, "slow", "The request's body does not arrive.", "Try again.") from None
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            over = not message.get("more_body", False)
            if seen > BODY_MAX_BYTES:
                raise _too_large()
        return message

    return capped


def _too_large() -> Problem:
    return Problem(413, "too-large", f"A request has at most {BODY_MAX_BYTES} bytes.", "Send less.")
