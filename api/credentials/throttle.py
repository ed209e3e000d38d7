"""Slows guessing down: after a few failures each further attempt waits twice as long as the one before.

An attempt is counted before it is examined, in one statement, so that a hundred at once are a hundred failures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import asyncpg

from domain.time import HOUR_NS, MINUTE_NS, NS
from runtime import sql
from runtime.database import wrapped_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The limit for one kind of key."""

    free: int  # failures without a wait
    first_ns: int = NS  # the first wait
    longest_ns: int = 15 * MINUTE_NS
    forget_ns: int = 4 * HOUR_NS  # without a failure, after which the count is forgotten

    def wait_ns(self, failures: int) -> int:
        """Return the wait after this many consecutive failures, in nanoseconds."""
        over = failures - self.free
        return 0 if over <= 0 else min(self.longest_ns, self.first_ns << min(over - 1, 20))


PER_USER: Final = Limit(free=5)
PER_ADDRESS: Final = Limit(free=20)
"""A reception's computers may share an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One key under one limit."""

    key: bytes
    limit: Limit


class Throttle:
    """Counts failures in the database, which survives restarts and serves several processes."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def begin(self, attempts: Iterable[Attempt], now_ns: int) -> int:
        """Count one failure under every key, to be forgiven after a success; return 0, or the wait in nanoseconds.

        While one of the keys is blocked, nothing is counted under any, and the attempt must not be examined.
        """
        # In one order, so that two sign-ins cannot deadlock.
        in_order = sorted(attempts, key=lambda each: each.key)
        with wrapped_errors():
            async with self._pool.acquire() as conn:
                transaction = conn.transaction()
                await transaction.start()
                longest = max([await self._count(conn, attempt, now_ns) for attempt in in_order], default=0)
                await (transaction.rollback() if longest else transaction.commit())
        return longest

    async def _count(self, conn: asyncpg.Connection, attempt: Attempt, now_ns: int) -> int:
        row = await conn.fetchrow(
            sql.load("api.credentials", "throttle_count"), attempt.key, now_ns, attempt.limit.forget_ns
        )
        if row["blocked_until_ns"] > now_ns:
            return int(row["blocked_until_ns"]) - now_ns
        until_ns = now_ns + attempt.limit.wait_ns(row["failures"])
        await conn.execute(sql.load("api.credentials", "throttle_block"), attempt.key, until_ns)
        return 0

    async def forgive(self, key: bytes) -> None:
        """Forget the failures under ``key``: the person has signed in."""
        with wrapped_errors():
            await self._pool.execute(sql.load("api.credentials", "throttle_forget"), key)

    async def take_back(self, key: bytes) -> None:
        """Take back one failure under ``key``: a success must not forgive an address's other failures."""
        with wrapped_errors():
            await self._pool.execute(sql.load("api.credentials", "throttle_take_back"), key)
