"""Members by name or number. Searching a member is a look: the caller puts it on record first."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from domain.ids import DoorId, MemberId
from runtime import sql
from runtime.database import wrapped_errors

_PACKAGE: Final = "storage.access"
LIMIT_MAX: Final = 200
QUERY_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """``number`` and ``name`` are personal data: kept out of repr, and so out of logs."""

    member_id: MemberId
    number: str = field(repr=False)
    name: str = field(repr=False)
    minor: bool


def fold(text: str) -> str:
    """Without case and accents, blanks as one space: what names are searched by. ``Müller`` and ``MULLER`` agree.

    Done here and not in SQL, since what the server folds depends on the locale its cluster was made with.
    """
    parts = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(part for part in parts if not unicodedata.combining(part)).split())


async def search_members(
    pool: asyncpg.Pool | asyncpg.Connection, query: str, limit: int = 20, *, at_doors: Collection[DoorId] | None = None
) -> list[MemberRow]:
    """Members whose name holds every word of ``query``, or whose number starts with it; by name. Blank: none.

    At most ``limit`` (200), of those who have been at one of ``at_doors``, where they are given.
    """
    words = fold(query[:QUERY_MAX]).split()
    if not words:
        return []
    patterns = [f"%{_literal(word)}%" for word in words]
    number = f"{_literal(query[:QUERY_MAX].strip().casefold())}%"
    with wrapped_errors():
        doors = None if at_doors is None else list(at_doors)
        rows = await pool.fetch(sql.load(_PACKAGE, "search_members"), patterns, number, min(limit, LIMIT_MAX), doors)
    return [_member(row) for row in rows]


async def member(pool: asyncpg.Pool | asyncpg.Connection, member_id: MemberId) -> MemberRow | None:
    """None when unknown, or when the link to the person has been erased."""
    found = await members(pool, [member_id])
    return found.get(member_id)


async def members(pool: asyncpg.Pool | asyncpg.Connection, member_ids: Sequence[MemberId]) -> dict[MemberId, MemberRow]:
    """Those of them whose link to the person exists."""
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "members"), list(member_ids))
    return {MemberId(row["member_id"]): _member(row) for row in rows}


def _literal(text: str) -> str:
    """For LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _member(row: Mapping[str, Any]) -> MemberRow:
    return MemberRow(member_id=MemberId(row["member_id"]), number=row["number"], name=row["name"], minor=row["minor"])
