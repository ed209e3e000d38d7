"""What a member may learn of looks at their data: when, why, of what kind. Never who looked (C-579/21, point 83)."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, Field

from api.records import Records
from domain.ids import MemberId
from domain.time import to_iso
from runtime import sql
from runtime.database import wrapped_errors

LAST: Final = (1 << 63) - 1
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
    "register_exported": "register",
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


class Told(BaseModel):
    """All that a member may learn of looks, the newest first, and what staff noted."""

    looks: list[LookAnswer]
    bookmarks: list[BookmarkedAnswer]


async def looks_of(records: Records, member_id: MemberId) -> Told:
    """All looks at a member's data. The caller has put that on record. The errors of runtime.database."""
    looks: list[LookAnswer] = []
    before: int | None = LAST
    while before is not None:
        found, before = await looks_at(records, member_id, before, 500)
        looks += found
    return Told(looks=looks, bookmarks=await bookmarks_of(records, member_id))


async def looks_at(
    records: Records, member_id: MemberId, before: int, limit: int
) -> tuple[list[LookAnswer], int | None]:
    """Return looks, the newest first, and where the list goes on (None: it does not). ``before``: LAST, or that place.

    They named the member, took out the whole register, or showed footage while the member used a credential there.
    """
    arguments = (member_id, before, limit, list(_KINDS), list(_FOOTAGE))
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load("api.audit", "member_looks"), *arguments)
    looks = [
        LookAnswer(
            at=to_iso(row["at_ns"]),
            kind=_KINDS[row["action"]],
            purpose=row["category"],
            camera=row["camera"],
            start=None if row["start_ns"] is None else to_iso(row["start_ns"]),
            end=None if row["end_ns"] is None else to_iso(row["end_ns"]),
        )
        for row in rows
    ]
    return looks, rows[-1]["seq"] if len(rows) == limit else None


async def bookmarks_of(records: Records, member_id: MemberId) -> list[BookmarkedAnswer]:
    """Return what staff noted about moments of the member's passages."""
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load("api.audit", "member_bookmarks"), member_id)
    return [BookmarkedAnswer(at=to_iso(row["at_ns"]), camera=row["camera"], note=row["note"]) for row in rows]
