"""Answer shapes shared by several routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, Field

from api.sign_in.purposes import Purpose
from api.sign_in.scope import Scope
from domain.access import AccessEvent, Visit
from domain.ids import CameraId, MemberId
from domain.time import MINUTE_NS, Span, to_iso
from storage.access import EventCamera, MemberRow

PENDING_NS: Final = 2 * MINUTE_NS
"""Footage may take this long from the camera to the catalogue."""


class SpanAnswer(BaseModel):
    """[start, end) as RFC 3339 times in UTC."""

    start: str
    end: str


class GapAnswer(SpanAnswer):
    """A span without footage and its cause."""

    cause: str = Field(description="A cause of domain.footage.GapCause, or `pending`, `expired`, `unknown`.")


class MemberAnswer(BaseModel):
    """A member as the page may name them."""

    member_id: UUID
    number: str | None
    name: str | None = Field(description="None: the link to the person has been erased.")
    minor: bool


class EventCameraAnswer(SpanAnswer):
    """A camera that saw an event's door, and the span to show."""

    camera_id: UUID
    name: str
    segments: int | None = Field(default=None, description="Segments tagged; 0: no footage, see the timeline.")
    coming: bool = Field(default=False, description="No footage yet, and it may still be on its way.")
    clip: str = Field(description="Address of the clip under the purpose of this search.")
    thumbnail: str = Field(description="Address of a picture of the moment; loading it is a look.")


class EventAnswer(BaseModel):
    """An access event with the names that the page shows."""

    event_id: UUID
    site_id: UUID
    site: str
    time_zone: str
    door_id: UUID
    door: str
    kind: str
    direction: str | None
    member: MemberAnswer | None
    occurred: str
    received: str
    uncertain: bool
    cameras: list[EventCameraAnswer]


class VisitAnswer(BaseModel):
    """A stay from entry to exit; `end` is null while no exit is known."""

    site_id: UUID
    site: str
    time_zone: str
    start: str
    end: str | None
    first_event: UUID
    last_event: UUID | None


def visit_answer(visit: Visit, scope: Scope) -> VisitAnswer:
    """Return a visit to a site in the scope. KeyError when the site is not in it."""
    return VisitAnswer(
        site_id=visit.site_id,
        site=scope.sites[visit.site_id].name,
        time_zone=scope.zone_of(visit.site_id),
        start=to_iso(visit.start_ns),
        end=None if visit.end_ns is None else to_iso(visit.end_ns),
        first_event=visit.first_event,
        last_event=visit.last_event,
    )


def member_answer(member_id: MemberId, known: Mapping[MemberId, MemberRow]) -> MemberAnswer:
    """Return a member's names; a member who is not known has none."""
    row = known.get(member_id)
    if row is None:
        return MemberAnswer(member_id=member_id, number=None, name=None, minor=False)
    return MemberAnswer(member_id=member_id, number=row.number, name=row.name, minor=row.minor)


def event_answer(
    event: AccessEvent,
    cameras: Iterable[EventCamera],
    scope: Scope,
    known: Mapping[MemberId, MemberRow],
    purpose: Purpose,
    now_ns: int,
) -> EventAnswer:
    """Cut to the scope: cameras that the person may not see are left out."""
    return EventAnswer(
        event_id=event.event_id,
        site_id=event.site_id,
        site=scope.sites[event.site_id].name,
        time_zone=scope.zone_of(event.site_id),
        door_id=event.door_id,
        door=scope.doors[event.door_id].name,
        kind=event.kind.value,
        direction=event.direction.value if event.direction else None,
        member=None if event.member_id is None else member_answer(event.member_id, known),
        occurred=to_iso(event.occurred_ns),
        received=to_iso(event.received_ns),
        uncertain=event.uncertain,
        cameras=[
            EventCameraAnswer(
                camera_id=camera.camera_id,
                name=scope.cameras[camera.camera_id].name,
                start=to_iso(camera.span.start_ns),
                end=to_iso(camera.span.end_ns),
                segments=camera.segments,
                coming=camera.segments == 0 and camera.span.end_ns > now_ns - PENDING_NS,
                clip=clip_address(camera.camera_id, camera.span, purpose),
                thumbnail=thumbnail_address(camera.camera_id, event.occurred_ns, purpose),
            )
            for camera in cameras
            if camera.camera_id in scope.cameras
        ],
    )


def clip_address(camera_id: CameraId, span: Span, purpose: Purpose) -> str:
    """Relative to this server."""
    query = {"start": to_iso(span.start_ns), "end": to_iso(span.end_ns), "purpose": str(purpose.purpose_id)}
    return f"/v1/cameras/{camera_id}/clip.mp4?{urlencode(query)}"


def thumbnail_address(camera_id: CameraId, at_ns: int, purpose: Purpose) -> str:
    """Relative to this server."""
    query = {"at": to_iso(at_ns), "purpose": str(purpose.purpose_id)}
    return f"/v1/cameras/{camera_id}/thumbnail.jpg?{urlencode(query)}"
