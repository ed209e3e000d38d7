"""Members that an import's list no longer names: what ends for them is what their cards open.

The member, past events and past holdings stay: an event that arrives late from before the end still finds its member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from domain.ids import MemberId
from indexer.errors import IndexMisuseError
from runtime import sql
from storage.catalogue.audit import Entry, append_in

_PACKAGE: Final = "indexer.members"
SHARE: Final = 10
"""More than one member in so many is taken for a list that is not whole, until a person confirms the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingMember:
    """A member who holds a credential now or later and is not in the list."""

    member_id: UUID
    number: str
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """present: how many members hold a credential now or later, the missing ones among them."""

    members: tuple[MissingMember, ...] = ()
    present: int = 0

    @property
    def is_many(self) -> bool:
        """Whether a person must confirm the number: all members, or more than a whole list leaves out."""
        count = len(self.members)
        return count > max(1, self.present // SHARE) or 0 < count == self.present

    def check(self, confirmed: int | None) -> None:
        """IndexMisuseError when there are many and the confirmation is missing or names another number."""
        count = len(self.members)
        if confirmed is not None and confirmed != count:
            raise IndexMisuseError(
                f"{confirmed} members were to be ended, but the list lacks {count}.", "Look at them with --dry-run."
            )
        if self.is_many and confirmed is None:
            raise IndexMisuseError(
                f"The list lacks {count} of the {self.present} members who have a credential: nothing was imported.",
                f"Is the list whole? Look at them with --dry-run; add --confirm {count} if they have all left.",
            )


async def find_missing(conn: asyncpg.Connection, numbers: Sequence[str], now_ns: int) -> Missing:
    """Of the members who hold a credential at ``now_ns`` or later: those whose number is not listed."""
    rows = await conn.fetch(sql.load(_PACKAGE, "members_missing"), list(numbers), now_ns)
    found = [
        MissingMember(member_id=row["member_id"], number=row["number"], name=row["name"])
        for row in rows
        if not row["listed"]
    ]
    return Missing(members=tuple(found), present=len(rows))


async def end_members(conn: asyncpg.Connection, missing: Missing, actor: str, now_ns: int) -> None:
    """Their credentials end at ``now_ns``; those that begin later are removed. One audit entry for each member."""
    await conn.execute(sql.load(_PACKAGE, "credentials_end"), [one.member_id for one in missing.members], now_ns)
    for one in missing.members:
        entry = Entry(actor=actor, action="member_ended", member_id=MemberId(one.member_id))
        await append_in(conn, entry, now_ns)
