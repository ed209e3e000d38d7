"""The rows that most routes read and write: the connection pool, and the clock that stamps what is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import asyncpg
from fastapi import Depends

from api.http.provide import provided


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """An open pool, which its maker closes, and the present time in UTC nanoseconds."""

    pool: asyncpg.Pool
    clock_ns: Callable[[], int]


RecordsDep = Annotated[Records, Depends(provided(Records))]
