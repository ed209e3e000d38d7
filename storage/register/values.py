"""Values of the register: the present ones, those before, and how a new one takes the place of the old.

Reading them is a look: the caller writes the audit entry first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import asyncpg

from domain.ids import MemberId, StaffId
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import fold
from storage.register.fields import Field

_PACKAGE: Final = "storage.register"


class Source(StrEnum):
    """Who said it. The values are stored; do not rename them."""

    MEMBER = "member"
    STAFF = "staff"
    IMPORT = "import"
    OUTSIDE = "outside"  # an outside identity


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Value:
    """What stood in a field from ``from_ns`` to ``to_ns`` (None: still). Empty: it was removed."""

    member_id: MemberId
    field: Field
    value: str
    source: Source
    staff_id: StaffId | None
    staff_name: str | None
    from_ns: int
    to_ns: int | None


async def present(
    conn: asyncpg.Pool | asyncpg.Connection, member_ids: Collection[MemberId], fields: Collection[Field]
) -> dict[MemberId, dict[Field, Value]]:
    """Return the values that stand now, of these members and fields. Name and number are in ``storage.access.members``.

    Raises the database errors of runtime/errors.py.
    """
    found: dict[MemberId, dict[Field, Value]] = {member_id: {} for member_id in member_ids}
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "present"), list(member_ids), list(fields))
    for row in rows:
        found[MemberId(row["member_id"])][Field(row["field"])] = _value(row)
    return found


async def history(
    conn: asyncpg.Pool | asyncpg.Connection, member_id: MemberId, fields: Collection[Field], limit: int
) -> list[Value]:
    """Return what stood in these fields and stands there, the newest first. The database errors."""
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "history"), member_id, list(fields), limit)
    return [_value(row) for row in rows]


async def keep(
    conn: asyncpg.Connection,
    member_id: MemberId,
    values: Mapping[Field, str],
    *,
    source: Source,
    staff_id: StaffId | None,
    now_ns: int,
) -> list[Field]:
    """Keep checked values in the caller's transaction; return the fields that changed, in the order given.

    What stood there before ends now and stays in the history. Nothing changes once the link to the person is erased.
    The caller wraps the driver's errors.
    """
    await conn.execute(sql.load(_PACKAGE, "lock"), str(member_id))
    if not await conn.fetchval(sql.load(_PACKAGE, "still_there"), member_id):
        return []
    changed = []
    for each, value in values.items():
        if each is Field.NAME:
            name = (member_id, value, fold(value), source, None if staff_id is None else str(staff_id))
            done = await conn.fetchval(sql.load(_PACKAGE, "rename"), *name)
        else:
            done = await conn.fetchval(sql.load(_PACKAGE, "keep"), member_id, each, value, source, staff_id, now_ns)
        if done:
            changed.append(each)
    if Field.EMAIL in changed and source is not Source.MEMBER:
        # What the former address opened does not come back with it.
        await conn.execute(sql.load(_PACKAGE, "sessions_end"), member_id, now_ns)
    return changed


async def members_of_email(conn: asyncpg.Pool | asyncpg.Connection, email: str, limit: int) -> list[MemberId]:
    """Return the members whose address this is at present, whatever its case; families may share one."""
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "of_email"), email, limit)
    return [MemberId(row["member_id"]) for row in rows]


def _value(row: asyncpg.Record) -> Value:
    return Value(
        member_id=MemberId(row["member_id"]),
        field=Field(row["field"]),
        value=row["value"],
        source=Source(row["source"]),
        staff_id=None if row["staff_id"] is None else StaffId(row["staff_id"]),
        staff_name=row["display_name"],
        from_ns=row["from_ns"],
        to_ns=row["to_ns"],
    )
