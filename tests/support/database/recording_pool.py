"""A pool that gives prepared rows and keeps what it was asked: for code that builds arguments and converts rows.

What the SQL does with them is tested against PostgreSQL, in tests/integration.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from runtime import sql


class RecordingPool:
    """``asked``: (statement, arguments) of every call, in order."""

    def __init__(self, *answers: Sequence[Mapping[str, Any]]) -> None:
        """``answers``: rows of the first call, the second, ...; nothing from then on."""
        self._answers = list(answers)
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.depth = 0  # of transactions that are open
        self.outside: list[str] = []  # statements that no transaction held

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Of the last call."""
        return self.asked[-1][1]

    def asked_for(self, package: str, name: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of this statement."""
        text = sql.load(package, name)
        return [arguments for statement, arguments in self.asked if statement == text]

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[RecordingPool]:
        yield self

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    async def fetch(self, statement: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        self.asked.append((statement, arguments))
        if not self.depth:
            self.outside.append(statement)
        return self._answers.pop(0) if self._answers else []

    async def fetchrow(self, statement: str, *arguments: Any) -> Mapping[str, Any] | None:
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        row = await self.fetchrow(statement, *arguments)
        return next(iter(row.values())) if row else None

    async def execute(self, statement: str, *arguments: Any) -> str:
        await self.fetch(statement, *arguments)
        return ""
