"""The serve role: pages and API over HTTPS. Stays up, answering 503 where it must, while other parts are away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Any, Final

from api.app import build_asgi
from api.credentials.secret_key import load_secret_key
from api.errors import CannotServeError
from api.footage.cache import ClipCache
from api.health.parts import Parts
from api.http.certificates import Certificate, certificate_for
from api.http.server import listen, serving
from api.rooms import make_rooms
from api.settings import ServeSettings
from domain.errors import RetryableError
from runtime.database import READY_CONNECTIONS, open_pool
from runtime.problems import Problems
from runtime.status import StatusFile
from runtime.supervise import supervised
from storage.store import open_store

_log = logging.getLogger(__name__)
PROBE_EVERY_S: Final = 2.0
_REMEDIES: Final = {
    "database": "Searches and sign-in do not work. Check that PostgreSQL runs and is reachable.",
    "store": "No clip plays. Check that the object store runs and is reachable.",
    "custodian": "No clip plays. Check that the custodian runs.",
}


async def run(settings: ServeSettings, stop: asyncio.Event) -> None:
    """Serve until ``stop``. PrivateFileError, SecretKeyError or CannotServeError when a person must act first."""
    status = StatusFile(settings.run_directory, "serve")
    status.write("starting")
    key = load_secret_key(settings.secret_directory)
    certificate, sock = _prepare(settings)
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            open_pool(
                settings.database,
                application_name="serve",
                min_size=0,
                max_size=settings.database_connections,
                ready=min(READY_CONNECTIONS, settings.database_connections),
            )
        )
        store = await stack.enter_async_context(open_store(settings.store, connections=settings.store_connections))
        rooms = make_rooms(settings, pool=pool, store=store, key=key)
        stack.push_async_callback(rooms.close)
        app = build_asgi(rooms, only_tls=settings.tls_certificate is not None)
        http = await stack.enter_async_context(serving(app, settings, certificate, sock))
        said: dict[str, Any] = {"address": _address(settings, sock), "certificate_sha256": certificate.fingerprint}
        _log.info("serving at %s", said["address"])
        state = _State(rooms.parts, rooms.footage.cache, status, said)
        async with supervised(state.problems) as tasks:
            tasks.forever("http", lambda: _ended(http))
            tasks.every(PROBE_EVERY_S, "probe", state.look)
            tasks.every(status.period_s, "status", state.write)
            await stop.wait()
        status.write("stopping", **said)
    status.remove()


def _prepare(settings: ServeSettings) -> tuple[Certificate, socket.socket]:
    try:
        return certificate_for(settings), listen(settings)
    except (OSError, ValueError) as exc:
        raise CannotServeError(
            f"Cannot serve at {settings.host}:{settings.port} ({exc}).",
            "Check address, port and certificate in the configuration.",
        ) from exc


def _address(settings: ServeSettings, sock: socket.socket) -> str:
    host = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(settings.host, settings.host)
    return f"https://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"


class _State:
    """Probes the other parts and writes the role's status."""

    def __init__(self, parts: Parts, cache: ClipCache, status: StatusFile, said: dict[str, Any]) -> None:
        self._parts, self._cache, self._status, self._said = parts, cache, status, said
        self._answers: dict[str, bool] | None = None  # of each part, the last time
        self.problems = Problems()

    async def look(self) -> None:
        """Probe all parts, in a task of its own: an answer may take long, and the status must not wait for it."""
        self._answers = await self._parts.probe()
        for part, answers in self._answers.items():
            self.problems.set(part, None if answers else _away(part))

    async def write(self) -> None:
        problems = self.problems.present()
        if self._answers is not None:
            said = {"parts": self._answers, "clips": len(self._cache), **self._said}
            self._status.write("degraded" if problems else "ready", problems=problems, **said)
        else:
            self._status.write("starting", problems=problems)


def _away(part: str) -> RetryableError:
    return RetryableError(f"The {part} does not answer.", _REMEDIES[part])


async def _ended(http: asyncio.Task[None]) -> None:
    """The server ends early only when something is wrong."""
    await asyncio.wait((http,))
    http.result()
    raise RuntimeError("the HTTPS server ended by itself")
