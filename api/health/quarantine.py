"""The quarantine: door messages that no decoder understood, objects that failed verification. Never their contents."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.http.cursors import cursor_of
from api.http.problems import declared, not_found
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.sessions import SignedIn
from domain.time import to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import quarantined

router = APIRouter(prefix="/v1", tags=["quarantine"])


class ReasonAnswer(BaseModel):
    """How many messages wait for one reason."""

    reason: str
    messages: int
    seen: int = Field(description="Repeats included.")


class MessageAnswer(BaseModel):
    """A door message that was set aside."""

    quarantine_id: UUID
    received: str
    topic: str
    reason: str
    seen: int
    size_bytes: int
    replayed: str | None


class ObjectAnswer(BaseModel):
    """An object of the store that was set aside."""

    object_name: str
    found: str
    reason: str


class QuarantinePage(BaseModel):
    """What was set aside; `next` continues the messages."""

    reasons: list[ReasonAnswer] = Field(description="Of the messages that wait.")
    messages: list[MessageAnswer]
    objects: list[ObjectAnswer]
    next: str | None


@router.get("/quarantine", responses=declared(401, 404))
async def quarantine(
    records: RecordsDep,
    session: SignedIn,
    waiting_only: bool = True,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> QuarantinePage:
    """Newest first. Only `tallenne quarantine` on the machine can show the content of a message."""
    if not rights.has_everywhere(session.grants, rights.OPERATE):
        raise not_found()
    found = await quarantined(records.pool, limit=limit, before=cursor_of(cursor), waiting_only=waiting_only)
    with wrapped_errors():
        reasons = await records.pool.fetch(sql.load("api.health", "quarantine_reasons"))
        objects = await records.pool.fetch(sql.load("api.health", "object_quarantine"))
    return QuarantinePage(
        reasons=[ReasonAnswer(**row) for row in reasons],
        messages=[
            MessageAnswer(
                quarantine_id=row.quarantine_id,
                received=to_iso(row.received_ns),
                topic=row.topic,
                reason=row.reason,
                seen=row.seen_count,
                size_bytes=row.size_bytes,
                replayed=None if row.replayed_ns is None else to_iso(row.replayed_ns),
            )
            for row in found
        ],
        objects=[
            ObjectAnswer(object_name=row["object_name"], found=to_iso(row["found_ns"]), reason=row["reason"])
            for row in objects
        ],
        next=found[-1].cursor.pack() if len(found) == limit else None,
    )
