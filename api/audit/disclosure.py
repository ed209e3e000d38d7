"""Tells a member about looks at their data: when, why, of what kind. Never who looked (C-579/21, point 83)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.audit.disclosed import LAST, BookmarkedAnswer, LookAnswer, bookmarks_of, looks_at
from api.http.problems import declared, not_found
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.sessions import SignedIn
from domain.ids import MemberId
from storage.access import member
from storage.catalogue import audit

router = APIRouter(prefix="/v1", tags=["audit"])


class LooksPage(BaseModel):
    """Looks at one member's data, the newest first; `next` continues the list. `bookmarks`: on its first page."""

    member_id: UUID
    looks: list[LookAnswer]
    bookmarks: list[BookmarkedAnswer]
    next: int | None


@router.get("/members/{member_id}/looks", responses=declared(401, 404))
async def looks_at_member(
    records: RecordsDep,
    session: SignedIn,
    member_id: UUID,
    before: Annotated[int, Query(ge=1, le=LAST, description="`next` of the page before.")] = LAST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> LooksPage:
    """Newest first: looks that named the member, and footage looked at while their credential was at its doors."""
    if not rights.has_everywhere(session.grants, rights.AUDIT):
        raise not_found()
    who = MemberId(member_id)
    if await member(records.pool, who) is None:
        raise not_found()
    looks, after = await looks_at(records, who, before, limit)
    bookmarks = await bookmarks_of(records, who) if before == LAST else []
    entry = audit.Entry(actor=session.actor, action="disclosure", session_id=session.session_id, member_id=who)
    await audit.append(records.pool, entry, records.clock_ns())
    return LooksPage(member_id=member_id, looks=looks, bookmarks=bookmarks, next=after)
