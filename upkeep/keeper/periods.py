"""Deletes records other than footage when their period is over: events with their tags, exports, reasons, sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import asyncpg

from domain.time import DAY_NS
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from upkeep.keeper.settings import Periods

_PACKAGE: Final = "upkeep.keeper"
_AT_ONCE: Final = 5000
_ROUNDS: Final = 50  # of each kind in a row; the rest in the next round
_EXPIRED_KEYS_D: Final = 400  # a recorder that was away for so long is not waited for
ERASURES_D: Final = _EXPIRED_KEYS_D  # of orders that were carried out or refused
_GAPS_D: Final = 2
_CODES_D: Final = 1  # they are good for ten minutes


class PeriodsOver:
    """``run_once()`` deletes, and counts in ``deleted``. Members who have come of age are no minors any more."""

    def __init__(self, pool: asyncpg.Pool, periods: Periods, *, clock_ns: Callable[[], int]) -> None:
        self._pool, self._clock_ns = pool, clock_ns
        # What refers to something goes before it: exports to purposes, purposes to sessions.
        self._days = {
            "events": periods.events_d,
            "exports": periods.exports_d,
            "purposes": periods.lookups_d,
            "sessions": periods.sessions_d,
            "member_sessions": periods.sessions_d,
            "throttles": periods.sessions_d,
            "member_codes": _CODES_D,
            "gaps": _GAPS_D,
            "bookmarks": 0,  # when their footage has ended, whenever that was
            "member_history": periods.member_history_d,
            "requests": periods.requests_d,
            "recipients": periods.requests_d,
            "erasures": ERASURES_D,
            "expired_keys": _EXPIRED_KEYS_D,
        }
        self.deleted: dict[str, int] = dict.fromkeys(self._days, 0)

    async def run_once(self) -> int:
        """Delete what is over; how many rows. Raises the database errors."""
        now_ns, found = self._clock_ns(), 0
        for kind, days in self._days.items():
            for _ in range(_ROUNDS):
                with wrapped_errors():
                    gone: int = await self._pool.fetchval(
                        sql.load(_PACKAGE, "delete_older"), kind, now_ns - days * DAY_NS, _AT_ONCE
                    )
                hit("keeper.period")
                self.deleted[kind] += gone
                found += gone
                if gone < _AT_ONCE:
                    break
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "of_age"))
        return found
