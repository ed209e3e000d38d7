"""Recipients as rows: added before something leaves, listed, never changed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from api.records import Records
from api.sign_in.sessions import Session
from domain.ids import MemberId
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

LISTED_MAX: Final = 500
_PACKAGE: Final = "api.recipients"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Recipient:
    """Who received what, why and on what basis. Personal data stays out of repr."""

    kind: str
    name: str
    what: str
    why: str
    basis: str
    reference: str
    receipt: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RecipientRow:
    """The same as a row. ``consent``: the words of the consent, while the register has them."""

    recipient_id: UUID
    said: Recipient
    consent: str | None
    by: str
    handed_ns: int


async def recipients(records: Records, member_id: MemberId) -> list[RecipientRow]:
    """Return a member's, the newest first, LISTED_MAX at most. The errors of runtime.database."""
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load(_PACKAGE, "recipients"), member_id, LISTED_MAX)
    return [
        RecipientRow(
            recipient_id=row["recipient_id"],
            said=Recipient(
                kind=row["kind"],
                name=row["name"],
                what=row["what"],
                why=row["why"],
                basis=row["basis"],
                reference=row["reference"],
                receipt=row["receipt"],
            ),
            consent=row["consent"],
            by=row["display_name"],
            handed_ns=row["handed_ns"],
        )
        for row in rows
    ]


async def add(
    records: Records, session: Session, purpose_id: UUID, member_id: MemberId, said: Recipient, consent_id: UUID | None
) -> bool:
    """Record a hand-over now, with its audit entry. False: no such member, or the consent does not hold."""
    recipient_id, now_ns = uuid.uuid4(), records.clock_ns()
    values = (
        *(recipient_id, member_id, said.kind, said.name, said.what, said.why, said.basis, consent_id),
        *(said.reference, said.receipt, session.staff_id, now_ns),
    )
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            if not await conn.fetchval(sql.load(_PACKAGE, "recipient_add"), *values):
                return False
            entry = audit.Entry(
                actor=session.actor,
                action="recipient_recorded",
                session_id=session.session_id,
                purpose_id=purpose_id,
                member_id=member_id,
                detail={"recipient_id": str(recipient_id), "kind": said.kind, "basis": said.basis},
            )
            await audit.append_in(conn, entry, now_ns)
    return True
