"""Orders of early erasure as rows, with what they take and what keeps that."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from api.records import Records
from api.sign_in.sessions import Session
from domain.ids import CameraId, StaffId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors

LISTED_MAX: Final = 100
_PACKAGE: Final = "api.erasures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A case that keeps some of it. ``kind``: hold, restriction, or clip (an open case marked it)."""

    case_id: UUID
    number: str
    reason: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """``state``: custodian/erasure/states.py. ``segments``, ``size_bytes``: what it takes, or has taken."""

    erasure_id: UUID
    state: str
    reason: str
    of_member: bool
    places: tuple[tuple[CameraId, Span], ...]
    asked_by: StaffId
    asker: str
    asked_ns: int
    decider: str | None
    decided_ns: int | None
    done_ns: int | None
    segments: int
    size_bytes: int
    blocks: tuple[Block, ...]


async def listed(
    records: Records, session: Session, cameras: Collection[CameraId], erasure_id: UUID | None = None
) -> list[OrderRow]:
    """Those in sight, or the one. The errors of runtime.database."""
    with wrapped_errors():
        values = list(cameras), session.staff_id, LISTED_MAX, erasure_id
        rows = await records.pool.fetch(sql.load(_PACKAGE, "erasure_list"), *values)
    return [await _with_figures(records, row) for row in rows]


async def _with_figures(records: Records, row: Any) -> OrderRow:
    spans = row["camera_ids"], row["start_ns"], row["end_ns"]
    waits = row["state"] == "asked"
    blocks = []
    with wrapped_errors():
        if waits:
            figures = await records.pool.fetchrow(sql.load(_PACKAGE, "erasure_would_take"), *spans)
            blocks = await records.pool.fetch(sql.load(_PACKAGE, "erasure_blocks"), *spans)
        else:
            figures = await records.pool.fetchrow(sql.load(_PACKAGE, "erasure_took"), row["erasure_id"])
    places = zip(map(CameraId, row["camera_ids"]), map(Span, row["start_ns"], row["end_ns"]), strict=True)
    copied = ("erasure_id", "state", "reason", "of_member", "asker", "asked_ns", "decider", "decided_ns", "done_ns")
    return OrderRow(
        **{name: row[name] for name in copied},
        places=tuple(places),
        asked_by=StaffId(row["asked_by"]),
        segments=figures["segments"],
        size_bytes=figures["size_bytes"],
        blocks=tuple(Block(**block) for block in blocks),
    )
