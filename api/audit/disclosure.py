"""Tells a member about looks at their data: when, why, of what kind. Never who looked (C-579/21, point 83)."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.http.problems import declared, not_found
from api.records import Records, RecordsDep
from api.sign_in import rights
from api.sign_in.sessions import SignedIn
from domain.ids import MemberId
from domain.time import to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import member
from storage.catalogue import audit

router = APIRouter(prefix="/v1", tags=["audit"])
_LAST: Final = (1 << 63) - 1
_FOOTAGE: Final = {
    "look": "footage",
    "look_live": "live",
    "export": "export",
    "export_made": "export",
    "export_fetched": "export",
}
_KINDS: Final = {
    "find": "search",
    "search_members": "search",
    "search_visits": "search",
    "search_events": "search",
    "visit": "passage",
    "timeline": "passage",
    "register_read": "register",
    "register_changed": "register",
    "copy_made": "disclosure",
    "disclosure": "disclosure",
    "audit_read": "audit",
    **_FOOTAGE,
}


class LookAnswer(BaseModel):
    """One look at a member's data; `camera`, `start` and `end` only where footage was seen."""

    at: str
    kind: str = Field(description="search, passage, footage, live, export, register, disclosure, audit.")
    purpose: str | None
    camera: str | None
    start: str | None
    end: str | None


class BookmarkedAnswer(BaseModel):
    """What staff noted about a moment at which the member's credential was at a door that the camera sees."""

    at: str
    camera: str
    note: str


class LooksPage(BaseModel):
    """Looks at one member's data, the newest first; `next` continues the list. `bookmarks`: on its first page."""

    member_id: UUID
    looks: list[LookAnswer]
    bookmarks: list[BookmarkedAnswer]
    next: int | None


class Told(BaseModel):
    """All that a member may learn of looks, the newest first, and what staff noted."""

    looks: list[LookAnswer]
    bookmarks: list[BookmarkedAnswer]


async def looks_of(records: Records, member_id: MemberId) -> Told:
    """All looks at a member's data. The caller has put that on record. The errors of runtime.database."""
    looks: list[LookAnswer] = []
    before, page = _LAST, 500
    while page == 500:
        found = await _page(records, member_id, before, page)
        looks += found.looks
        before, page = found.next or _LAST, len(found.looks)
    return Told(looks=looks, bookmarks=(await _page(records, member_id, _LAST, 1)).bookmarks)


@router.get("/members/{member_id}/looks", responses=declared(401, 404))
async def looks_at_member(
    records: RecordsDep,
    session: SignedIn,
    member_id: UUID,
    before: Annotated[int, Query(ge=1, le=_LAST, description="`next` of the page before.")] = _LAST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> LooksPage:
    """Newest first: looks that named the member, and footage looked at while their credential was at its doors."""
    if not rights.has_everywhere(session.grants, rights.AUDIT):
        raise not_found()
    who = MemberId(member_id)
    if await member(records.pool, who) is None:
        raise not_found()
    found = await _page(records, who, before, limit)
    entry = audit.Entry(actor=session.actor, action="disclosure", session_id=session.session_id, member_id=who)
    await audit.append(records.pool, entry, records.clock_ns())
    return found


async def _page(records: Records, member_id: MemberId, before: int, limit: int) -> LooksPage:
    with wrapped_errors():
        rows = await records.pool.fetch(
            sql.load("api.audit", "member_looks"), member_id, before, limit, list(_KINDS), list(_FOOTAGE)
        )
        bookmarked = (
            await records.pool.fetch(sql.load("api.audit", "member_bookmarks"), member_id) if before == _LAST else []
        )
    return LooksPage(
        member_id=member_id,
        looks=[
            LookAnswer(
                at=to_iso(row["at_ns"]),
                kind=_KINDS[row["action"]],
                purpose=row["category"],
                camera=row["camera"],
                start=None if row["start_ns"] is None else to_iso(row["start_ns"]),
                end=None if row["end_ns"] is None else to_iso(row["end_ns"]),
            )
            for row in rows
        ],
        bookmarks=[
            BookmarkedAnswer(at=to_iso(row["at_ns"]), camera=row["camera"], note=row["note"]) for row in bookmarked
        ],
        next=rows[-1]["seq"] if len(rows) == limit else None,
    )
