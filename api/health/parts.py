"""Checks whether the other parts of the machine answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import asyncpg
from fastapi import Depends

from api.http.provide import provided
from custodian.client import CustodianClient
from domain.errors import TallenneError
from runtime.database import wrapped_errors
from storage.store import ObjectStore

PROBE_S: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Database, store and custodian as this role reaches them; the roles of this machine and their status files."""

    pool: asyncpg.Pool
    store: ObjectStore
    custodian: CustodianClient
    run_directory: Path
    roles: tuple[str, ...] = ()  # those that must run on this machine

    async def probe(self) -> dict[str, bool]:
        """Return which parts answer within ``PROBE_S``. All are asked at once."""
        names = ("database", "store", "custodian")
        answers = await asyncio.gather(
            _answers(self._database()), _answers(self.store.stat("health")), _answers(self.custodian.identity())
        )
        return dict(zip(names, answers, strict=True))

    async def _database(self) -> None:
        with wrapped_errors():
            await self.pool.fetchval("SELECT 1")


async def _answers(question: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(PROBE_S):
            await question
    except (TallenneError, TimeoutError, OSError):
        return False
    return True


PartsDep = Annotated[Parts, Depends(provided(Parts))]
