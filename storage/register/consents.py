"""Consents of members: to what, how and when it was given, and when withdrawn."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

import asyncpg

from domain.ids import MemberId, StaffId
from runtime import sql
from runtime.database import wrapped_errors

_PACKAGE: Final = "storage.register"


class Way(StrEnum):
    """How the member said so. The values are stored; do not rename them."""

    MEMBER = "member"  # on their own pages
    DESK = "desk"
    PAPER = "paper"
    OUTSIDE = "outside"  # at an outside identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent in the words that the member read; ``withdrawn_ns`` None: it holds."""

    consent_id: UUID
    purpose: str
    how: Way
    given_ns: int
    recorded_by: str | None
    withdrawn_ns: int | None
    withdrawn_how: Way | None


async def consents(conn: asyncpg.Pool | asyncpg.Connection, member_id: MemberId) -> list[Consent]:
    """Return a member's consents, the newest first, with those that were withdrawn. The database errors."""
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "consents"), member_id)
    return [
        Consent(
            consent_id=row["consent_id"],
            purpose=row["purpose"],
            how=Way(row["how"]),
            given_ns=row["given_ns"],
            recorded_by=row["display_name"],
            withdrawn_ns=row["withdrawn_ns"],
            withdrawn_how=None if row["withdrawn_how"] is None else Way(row["withdrawn_how"]),
        )
        for row in rows
    ]


async def give_consent(
    conn: asyncpg.Connection, member_id: MemberId, purpose: str, how: Way, *, staff_id: StaffId | None, now_ns: int
) -> UUID | None:
    """Record a consent in the caller's transaction and return its id. ``staff_id`` None: the member gave it directly.

    None: nothing is recorded, since the link to the person is erased. The caller wraps the driver's errors.
    """
    consent_id = uuid.uuid4()
    values = (consent_id, member_id, purpose, how, now_ns, staff_id)
    return consent_id if await conn.fetchval(sql.load(_PACKAGE, "consent_give"), *values) else None


async def withdraw_consent(
    conn: asyncpg.Connection,
    member_id: MemberId,
    consent_id: UUID,
    how: Way,
    *,
    staff_id: StaffId | None,
    now_ns: int,
) -> bool:
    """Withdraw a member's consent in the caller's transaction. False: it is not theirs, or does not hold any more."""
    values = (consent_id, member_id, how, now_ns, staff_id)
    return bool(await conn.fetchval(sql.load(_PACKAGE, "consent_withdraw"), *values))
