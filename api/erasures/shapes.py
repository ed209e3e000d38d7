"""What is asked and answered about early erasure, and how rows become answers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.erasures.rows import OrderRow
from api.http.texts import SOME_TEXT
from api.http.times import Instant
from api.sign_in.scope import Scope
from domain.ids import CameraId, StaffId
from domain.time import Span, merge_spans, to_iso

CAMERAS_MAX = 64


class OrderBody(BaseModel):
    """What is to be erased: the span [start, end), 31 days at most, of each camera; or, with `member_id`, all footage
    that is tagged with the member.

    A stored segment, some ten seconds, is erased whole.
    """

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern=SOME_TEXT)]
    camera_ids: Annotated[list[UUID], Field(max_length=CAMERAS_MAX)] = []
    start: Instant | None = None
    end: Instant | None = None
    member_id: UUID | None = None


class PlaceAnswer(BaseModel):
    """One camera of an order: from the first to the last time, in how many spans."""

    camera_id: UUID
    camera: str
    start: str
    end: str
    time_zone: str
    spans: int


class BlockAnswer(BaseModel):
    """A case that keeps some of it, and why: until it has ended, nothing of the order is erased."""

    case_id: UUID
    number: str
    reason: str
    kind: str = Field(description="hold, restriction, or clip: an open case marked it.")


class OrderAnswer(BaseModel):
    """An order to erase footage before its time."""

    erasure_id: UUID
    state: str = Field(description="asked, approved (being carried out), done, refused or cancelled.")
    reason: str
    of_member: bool = Field(description="All footage tagged with one member, as it was when it was ordered.")
    places: list[PlaceAnswer]
    asked_by: str
    asked: str
    decided_by: str | None
    decided: str | None
    done: str | None
    segments: int = Field(description="That would go, or have gone.")
    size_bytes: int
    blocks: list[BlockAnswer]
    may_decide: bool = Field(description="This person may approve or refuse it.")
    may_cancel: bool


def said(row: OrderRow, scope: Scope, staff_id: StaffId, approves: bool, one_hand: Collection[StaffId]) -> OrderAnswer:
    """The answer about one order, for this person. ``one_hand``: accounts that count as the same person."""
    waits, own = row.state == "asked", row.asked_by == staff_id
    return OrderAnswer(
        erasure_id=row.erasure_id,
        state=row.state,
        reason=row.reason,
        of_member=row.of_member,
        places=_places(row, scope),
        asked_by=row.asker,
        asked=to_iso(row.asked_ns),
        decided_by=row.decider,
        decided=None if row.decided_ns is None else to_iso(row.decided_ns),
        done=None if row.done_ns is None else to_iso(row.done_ns),
        segments=row.segments,
        size_bytes=row.size_bytes,
        blocks=[
            BlockAnswer(case_id=one.case_id, number=one.number, reason=one.reason, kind=one.kind) for one in row.blocks
        ],
        may_decide=waits and approves and not own and row.asked_by not in one_hand,
        may_cancel=waits and own,
    )


def _places(row: OrderRow, scope: Scope) -> list[PlaceAnswer]:
    by_camera: dict[CameraId, list[Span]] = {}
    for camera_id, span in row.places:
        by_camera.setdefault(camera_id, []).append(span)
    return [_place(scope, camera_id, merge_spans(spans)) for camera_id, spans in by_camera.items()]


def _place(scope: Scope, camera_id: CameraId, spans: list[Span]) -> PlaceAnswer:
    camera = scope.cameras.get(camera_id)
    return PlaceAnswer(
        camera_id=camera_id,
        camera=camera.name if camera else "–",
        start=to_iso(spans[0].start_ns),
        end=to_iso(spans[-1].end_ns),
        time_zone=scope.zone_of(camera.site_id) if camera else "UTC",
        spans=len(spans),
    )
