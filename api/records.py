"""The rows that most routes read and write, the clock that stamps what is written, and the status files of roles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import asyncpg
from fastapi import Depends

from api.http.provide import provided
from runtime.status import statuses


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """An open pool, which its maker closes, and the present time in UTC nanoseconds.

    ``hash_cookie``: what is stored of a session's cookie. Only who has the api's own key can compute it.
    """

    pool: asyncpg.Pool
    clock_ns: Callable[[], int]
    hash_cookie: Callable[[str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statuses:
    """The status files of the roles on this machine."""

    run_directory: Path

    async def now(self) -> list[dict[str, Any]]:
        """As ``runtime.status.statuses()`` gives them."""
        return await asyncio.to_thread(statuses, self.run_directory)


RecordsDep = Annotated[Records, Depends(provided(Records))]
StatusesDep = Annotated[Statuses, Depends(provided(Statuses))]
