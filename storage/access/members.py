"""Members by name, number or id. Searching a member is a look: the caller writes the audit entry first."""

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
    """A member and the person it stands for. ``repr`` leaves the personal data out, and with it every log."""

    member_id: MemberId
    number: str = field(repr=False)
    name: str = field(repr=False)
    minor: bool


def fold(text: str) -> str:
    """Return ``text`` without case and accents, with single spaces: ``Müller`` and ``MULLER`` fold to the same.

    The database stores names folded by this function. PostgreSQL's own folding depends on its cluster's locale.
    """
    # NFKD separates a letter from its accents (Unicode Standard Annex 15); the accents are then dropped.
    parts = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(part for part in parts if not unicodedata.combining(part)).split())


async def search_members(
    pool: asyncpg.Pool | asyncpg.Connection, query: str, limit: int = 20, *, at_doors: Collection[DoorId] | None = None
) -> list[MemberRow]:
    """Return members whose name contains every word of ``query``, or whose number begins with it, sorted by name.

    At most ``limit`` (200); none for a blank query. ``at_doors``: only members with an event at one of these doors.
    Raises the database errors of runtime/errors.py.
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
    """Return the member; None when the id is unknown or the link to the person has been erased."""
    found = await members(pool, [member_id])
    return found.get(member_id)


async def members(pool: asyncpg.Pool | asyncpg.Connection, member_ids: Sequence[MemberId]) -> dict[MemberId, MemberRow]:
    """Return those of the members whose link to the person exists, by id."""
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "members"), list(member_ids))
    return {MemberId(row["member_id"]): _member(row) for row in rows}


def _literal(text: str) -> str:
    """Escape the wildcards of LIKE, so that ``%`` in a query finds a percent sign."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _member(row: Mapping[str, Any]) -> MemberRow:
    return MemberRow(member_id=MemberId(row["member_id"]), number=row["number"], name=row["name"], minor=row["minor"])
