"""Changes of accounts, one after another, each by a session that may still make it when its turn comes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import asyncpg

from api.http.problems import Problem
from api.records import Records
from api.sign_in.sessions import ABSOLUTE_NS, IDLE_NS, Session, not_signed_in
from runtime import sql
from runtime.database import wrapped_errors


@contextlib.asynccontextmanager
async def changing(
    records: Records, session: Session, *, roles: tuple[str, ...] = ()
) -> AsyncIterator[asyncpg.Connection]:
    """A transaction under the lock of all such changes. 401 when the session has ended meanwhile, or a right is gone.

    roles: of which the person must hold one everywhere
    """
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            await conn.execute(sql.load("api.staff", "staff_lock"))
            now_ns = records.clock_ns()
            arguments = (session.session_id, now_ns - ABSOLUTE_NS, now_ns - IDLE_NS, list(roles))
            if not await conn.fetchval(sql.load("api.staff", "staff_may_change"), *arguments):
                raise not_signed_in()
            try:
                yield conn
            except asyncpg.ForeignKeyViolationError:
                raise Problem(
                    422,
                    "no-such-place",
                    "A grant names a site or camera that does not exist.",
                    "Look at GET /v1/cameras.",
                ) from None
