"""What is asked and answered about hand-overs."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from api.http.texts import LINE, SOME_TEXT
from api.recipients.rows import RecipientRow
from domain.time import to_iso

Kind = Literal["police", "authority", "insurer", "payment", "member", "other"]
Basis = Literal["consent", "contract", "legal_obligation", "vital_interests", "legitimate_interests", "request"]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=LINE)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000, pattern=SOME_TEXT)]


class RecipientBody(BaseModel):
    """Recorded before it leaves. `reference`: police and authorities need the number of their request."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=LINE)]
    what: Words
    why: Words
    basis: Basis
    consent_id: UUID | None = None
    reference: Line = ""
    receipt: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""


class RecipientAnswer(BaseModel):
    """A hand-over. `consent`: the words of the consent that it rests on; `receipt`: SHA-256 of what was handed over."""

    recipient_id: UUID
    at: str
    kind: str
    name: str
    what: str
    why: str
    basis: str
    consent: str | None
    reference: str
    receipt: str
    by: str


class ToldAnswer(BaseModel):
    """The same, as the member reads it: not who of the staff."""

    at: str
    kind: str
    name: str
    what: str
    why: str
    basis: str


def recipient_answer(row: RecipientRow) -> RecipientAnswer:
    """As JSON, for staff."""
    return RecipientAnswer(
        recipient_id=row.recipient_id,
        at=to_iso(row.handed_ns),
        kind=row.said.kind,
        name=row.said.name,
        what=row.said.what,
        why=row.said.why,
        basis=row.said.basis,
        consent=row.consent,
        reference=row.said.reference,
        receipt=row.said.receipt,
        by=row.by,
    )


def told_answer(row: RecipientRow) -> ToldAnswer:
    """As JSON, for the member."""
    return ToldAnswer(
        at=to_iso(row.handed_ns),
        kind=row.said.kind,
        name=row.said.name,
        what=row.said.what,
        why=row.said.why,
        basis=row.said.basis,
    )
