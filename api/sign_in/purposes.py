"""The purpose of a look: stated before the first search and recorded with every look that follows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Header, Query
from pydantic import BaseModel

from api.http.problems import Problem
from api.records import Records, RecordsDep
from api.sign_in import rights
from api.sign_in.sessions import Session, SignedIn, require
from domain.time import to_iso
from runtime import sql
from runtime.database import wrapped_errors


class Category(StrEnum):
    """The values are stored; do not rename them."""

    INCIDENT = "incident"
    ACCESS = "access"  # a member let another person in, or used another's card
    SAFETY = "safety"
    PROPERTY = "property"  # theft, damage
    MEMBER_REQUEST = "member_request"  # GDPR 15
    AUTHORITY = "authority"
    MAINTENANCE = "maintenance"


class PurposeAnswer(BaseModel):
    """A stated purpose; its id goes with each look."""

    purpose_id: uuid.UUID
    category: str
    reason: str
    stated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """A purpose of this very session."""

    purpose_id: uuid.UUID


async def latest_purpose(records: Records, session: Session) -> PurposeAnswer | None:
    """The one stated last in this session."""
    with wrapped_errors():
        row = await records.pool.fetchrow(sql.load("api.sign_in", "purpose_latest"), session.session_id)
    if row is None:
        return None
    return PurposeAnswer(
        purpose_id=row["purpose_id"],
        category=row["category"],
        reason=row["reason"],
        stated=to_iso(row["stated_ns"]),
    )


async def _known(records: Records, session: Session, purpose_id: uuid.UUID | None) -> Purpose:
    with wrapped_errors():
        if purpose_id is not None and await records.pool.fetchval(
            sql.load("api.sign_in", "purpose_known"), purpose_id, session.session_id
        ):
            return Purpose(purpose_id=purpose_id)
    raise Problem(
        403,
        "purpose-needed",
        "A look needs a purpose.",
        "State one with POST /v1/purposes and send its id as the header Tallenne-Purpose.",
    )


async def stated(
    records: RecordsDep,
    session: SignedIn,
    tallenne_purpose: Annotated[uuid.UUID | None, Header(description="From POST /v1/purposes.")] = None,
) -> Purpose:
    """The dependency behind ``Stated``: 403 without a purpose of this session."""
    require(session, rights.LOOK)
    return await _known(records, session, tallenne_purpose)


async def stated_for_members(
    records: RecordsDep,
    session: SignedIn,
    tallenne_purpose: Annotated[uuid.UUID | None, Header(description="From POST /v1/purposes.")] = None,
) -> Purpose:
    """The same for the members' register, which administrators search too."""
    require(session, rights.MEMBERS)
    return await _known(records, session, tallenne_purpose)


async def stated_in_query(
    records: RecordsDep,
    session: SignedIn,
    purpose: Annotated[uuid.UUID | None, Query(description="A media element cannot send headers.")] = None,
    tallenne_purpose: Annotated[uuid.UUID | None, Header()] = None,
) -> Purpose:
    """The same for addresses that a media element loads."""
    require(session, rights.LOOK)
    return await _known(records, session, purpose or tallenne_purpose)


Stated = Annotated[Purpose, Depends(stated)]
StatedForMembers = Annotated[Purpose, Depends(stated_for_members)]
StatedInQuery = Annotated[Purpose, Depends(stated_in_query)]
