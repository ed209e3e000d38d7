"""The serve role: pages and API over HTTPS. Stays up, answering 503 where it must, while other parts are away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Any, Final

from api.app import build_asgi
from api.credentials.handover import set_up_lately
from api.credentials.secret_key import load_secret_key
from api.errors import CannotServeError
from api.export.rows import lapse_all
from api.http.certificates import Certificate, certificate_for
from api.http.server import listen, serving
from api.requests.rows import due_soon
from api.rooms import Rooms, make_rooms
from api.settings import ServeSettings
from domain.errors import RetryableError
from runtime.database import READY_CONNECTIONS, open_pool
from runtime.problems import Problems
from runtime.status import StatusFile
from runtime.supervise import supervised
from storage.store import open_store

_log = logging.getLogger(__name__)
PROBE_EVERY_S: Final = 2.0
ACCOUNTS_EVERY_S: Final = 20.0
LAPSE_EVERY_S: Final = 30.0
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
        state = _State(rooms, status, said)
        async with supervised(state.problems) as tasks:
            tasks.forever("http", lambda: _ended(http))
            tasks.every(PROBE_EVERY_S, "probe", state.look)
            tasks.every(ACCOUNTS_EVERY_S, "accounts", state.look_at_accounts)
            tasks.every(LAPSE_EVERY_S, "exports", state.look_at_exports)
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

    def __init__(self, rooms: Rooms, status: StatusFile, said: dict[str, Any]) -> None:
        self._records, self._accounts, self._requests = rooms.records, 0, 0
        self._post = rooms.members.post
        self._parts, self._cache, self._pictures = rooms.parts, rooms.footage.cache, rooms.pictures
        self._status, self._said = status, said
        self._answers: dict[str, bool] | None = None  # the last answer of each part
        self.problems = Problems()

    async def look(self) -> None:
        """Probe all parts, in a separate task, since the status must not wait for slow answers."""
        self._answers = await self._parts.probe()
        for part, answers in self._answers.items():
            self.problems.set(part, None if answers else PartAwayError(part))
        self.problems.set("members' mail", self._post.problem)

    async def look_at_accounts(self) -> None:
        """Count the accounts that were set up lately and the requests that are nearly due, for the alarms."""
        with contextlib.suppress(RetryableError):  # ``look()`` reports that the database is away
            self._accounts = await set_up_lately(self._records.pool, self._records.clock_ns())
            self._requests = await due_soon(self._records)

    async def look_at_exports(self) -> None:
        """End the exports that wait for a decision about footage of which some has ended meanwhile."""
        with contextlib.suppress(RetryableError):
            await lapse_all(self._records)

    async def write(self) -> None:
        """Write the status file: starting, until every part has answered once; then ready or degraded."""
        problems = self.problems.present()
        if self._answers is not None:
            held = self._pictures.held
            workers = {"thumbnails": held.dump()} if held is not None else {}
            counts = {"clips": len(self._cache), "accounts_set_up": self._accounts, "requests_due": self._requests}
            said = {"parts": self._answers, "workers": workers, **counts, **self._said}
            self._status.write("degraded" if problems else "ready", problems=problems, **said)
        else:
            self._status.write("starting", problems=problems)


class PartAwayError(RetryableError):
    """Another part does not answer."""

    def __init__(self, part: str) -> None:
        super().__init__(f"The {part} does not answer.", _REMEDIES[part])
        self.part = part


async def _ended(http: asyncio.Task[None]) -> None:
    """The server ends early only when something is wrong."""
    await asyncio.wait((http,))
    http.result()
    raise RuntimeError("the HTTPS server ended by itself")
