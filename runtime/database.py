"""Ways into PostgreSQL: one pool or one connection per role, with limits set and driver errors split by kind.

Every connection speaks UTC, has ``search_path = tallenne`` and a statement timeout, so that a stuck server
cannot hold a role forever. Nothing outside this module needs to know asyncpg's exception classes.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from runtime.errors import DatabaseAwayError, DatabaseError, DatabaseRefusedError
from runtime.settings import DatabaseSettings

STATEMENT_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
READY_CONNECTIONS = 6
"""For roles that people wait for: see ``open_pool(ready=)``."""
_READY_AGAIN_S = 5.0

# SQLSTATE classes and codes after which the same statement may pass later.
_AWAY_CLASSES = ("08", "40", "53", "55", "57", "58")
_STARTUP_PARAMETER = re.compile(r"unsupported startup parameter:? *\"?([a-z_.]{1,63})")
_REFUSED_CODES = ("28000", "28P01", "3D000")


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Returns to the pool without a reset query, which saves a round trip: no code here leaves session state behind.

    Open transactions are rolled back all the same. Code that locks or listens does so within a transaction, or on a
    connection from ``connect()``.
    """

    def get_reset_query(self) -> str:
        return ""


@contextmanager
def wrapped_errors() -> Iterator[None]:
    """Driver errors leave this block as DatabaseAwayError, DatabaseRefusedError or DatabaseError, ``from`` the cause.

    The server's message may quote values: it is not copied into the error's text, only the SQLSTATE is.
    """
    try:
        yield
    except asyncpg.PostgresError as exc:
        raise _translated(exc) from exc
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError) as exc:
        raise DatabaseAwayError(
            f"The database does not answer ({type(exc).__name__}).", "Check that PostgreSQL runs and is reachable."
        ) from exc


def _translated(exc: asyncpg.PostgresError) -> Exception:
    code = str(exc.sqlstate or "")
    if code in _REFUSED_CODES:
        return DatabaseRefusedError(
            f"The database refuses this role (SQLSTATE {code}).",
            "Check database, user and password in the configuration.",
        )
    if parameter := _STARTUP_PARAMETER.search(str(exc)):
        return DatabaseRefusedError(
            f"The database's address refuses the parameter {parameter[1]!r}: a pooler such as PgBouncer answers there.",
            "Name PostgreSQL itself under [database]: every role keeps a small pool of its own.",
        )
    if code == "22P05":
        return DatabaseRefusedError(
            "The database cannot hold a letter: its encoding is not UTF8.", "Make it anew with ENCODING 'UTF8'."
        )
    if code[:2] in _AWAY_CLASSES:
        return DatabaseAwayError(f"The database is not available now (SQLSTATE {code}).", "It will be tried again.")
    return DatabaseError(f"The database refused a statement (SQLSTATE {code}, {type(exc).__name__}).")


def _arguments(settings: DatabaseSettings, application_name: str, statement_timeout_s: float) -> dict[str, Any]:
    tls: ssl.SSLContext | bool = False
    if settings.tls_ca is not None:
        tls = ssl.create_default_context(cafile=settings.tls_ca)
    return {
        "host": settings.host,
        "port": settings.port,
        "database": settings.database,
        "user": settings.user,
        "password": settings.password,
        "ssl": tls,
        "timeout": CONNECT_TIMEOUT_S,
        # The client's limit lies above the server's, so that the server's clearer answer comes first.
        "command_timeout": statement_timeout_s + 5 if statement_timeout_s else None,
        "server_settings": {
            "application_name": application_name,
            "search_path": "tallenne",
            "timezone": "UTC",
            "statement_timeout": str(round(statement_timeout_s * 1000)),
            "idle_in_transaction_session_timeout": "60000",
        },
    }


@asynccontextmanager
async def open_pool(
    settings: DatabaseSettings,
    *,
    application_name: str,
    min_size: int = 1,
    max_size: int = 4,
    statement_timeout_s: float = STATEMENT_TIMEOUT_S,
    by_index: bool = False,
    ready: int = 0,
) -> AsyncIterator[asyncpg.Pool]:
    """A pool that is closed on leaving. ``min_size=0`` opens even while the database is away.

    ready: so many connections are opened in the background and stay, so that a burst of questions need not wait for
    them to be made. The server keeps idle ones alive: whatever lies between must not forget them silently.
    by_index: no table is read as a whole where an index would do, whatever the statistics say: they may be of a moment
    when the table was empty.
    Raises DatabaseAwayError or DatabaseRefusedError when the first connection fails. Work done through the pool
    belongs in ``wrapped_errors()``.
    """
    arguments = _arguments(settings, application_name, statement_timeout_s)
    if ready:
        arguments["server_settings"]["tcp_keepalives_idle"] = "60"
    if by_index:
        arguments["server_settings"]["enable_seqscan"] = "off"
    with wrapped_errors():
        pool = await asyncpg.create_pool(
            min_size=min_size,
            max_size=max_size,
            max_inactive_connection_lifetime=0 if ready else 60.0,
            connection_class=_Connection,
            **arguments,
        )
    warming = asyncio.create_task(_make_ready(pool, ready), name="database connections") if ready else None
    try:
        yield pool
    finally:
        if warming is not None:
            warming.cancel()
        # close() waits for borrowed connections; the role's tasks are over by now, so a borrowed one is stuck.
        pool.terminate()


async def _make_ready(pool: asyncpg.Pool, count: int) -> None:
    """Open ``count`` at once, as soon as the database lets us."""
    while True:
        async with AsyncExitStack() as held:
            try:
                for _ in range(count):
                    await held.enter_async_context(pool.acquire())
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                pass  # the next query reports it
            else:
                return
        await asyncio.sleep(_READY_AGAIN_S)


async def connect(
    settings: DatabaseSettings, *, application_name: str = "tallenne", statement_timeout_s: float = STATEMENT_TIMEOUT_S
) -> asyncpg.Connection:
    """One connection; the caller closes it. ``statement_timeout_s`` 0: none (migrations, long reports).

    DatabaseRefusedError, too, for a database that cannot hold every name.
    """
    with wrapped_errors():
        conn = await asyncpg.connect(**_arguments(settings, application_name, statement_timeout_s))
    encoding = conn.get_settings().server_encoding
    if encoding != "UTF8":
        await conn.close()
        raise DatabaseRefusedError(
            f"The database {settings.database!r} is encoded in {encoding}, which cannot hold every name.",
            "Make it anew: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.",
        )
    return conn
