"""Sites, cameras and doors, with the cameras' health. No members and no footage, so no purpose is needed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.problems import declared
from api.records import RecordsDep, StatusesDep
from api.sign_in import rights
from api.sign_in.scope import load_scope
from api.sign_in.sessions import SignedIn, require
from domain.time import DAY_NS, to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.camera_health import Known, known_now

router = APIRouter(prefix="/v1", tags=["inventory"])


class SiteAnswer(BaseModel):
    """A site and its IANA time zone."""

    site_id: UUID
    name: str
    time_zone: str


class CameraAnswer(BaseModel):
    """A camera; `health` is what its recorder says of it, null when nothing is known now: see `health_updated`."""

    camera_id: UUID
    site_id: UUID
    name: str
    retention_s: int
    removed: bool
    may_look: bool = Field(description="This person may look at its footage, and not only at how it is.")
    health: dict[str, Any] | None
    health_updated: str | None = Field(description="When health was known; null for never.")


class DoorAnswer(BaseModel):
    """A door, the cameras that see it and the time of its last event."""

    door_id: UUID
    site_id: UUID
    name: str
    removed: bool
    cameras: list[UUID]
    last_event: str | None
    events_last_day: int


@router.get("/sites", responses=declared(401, 404))
async def sites(records: RecordsDep, session: SignedIn) -> list[SiteAnswer]:
    """Sites with at least one camera or door in the person's scope."""
    require(session, rights.INVENTORY)
    scope = await load_scope(records, session, rights.INVENTORY)
    return [SiteAnswer(site_id=site.site_id, name=site.name, time_zone=site.time_zone) for site in scope.sites.values()]


@router.get("/cameras", responses=declared(401, 404))
async def cameras(records: RecordsDep, here: StatusesDep, session: SignedIn) -> list[CameraAnswer]:
    """Cameras, including removed ones: their footage can be found until it expires."""
    require(session, rights.INVENTORY)
    scope = await load_scope(records, session, rights.INVENTORY)
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load("api.cameras", "camera_health"), list(scope.cameras))
    looked_at = (await load_scope(records, session, rights.LOOK)).cameras
    health = known_now(rows, await here.now(), records.clock_ns())
    never = Known(report=None, updated_ns=None)
    return [
        CameraAnswer(
            camera_id=camera.camera_id,
            site_id=camera.site_id,
            name=camera.name,
            retention_s=camera.retention_s,
            removed=camera.removed,
            may_look=camera.camera_id in looked_at,
            health=None if known.report is None else dict(known.report),
            health_updated=None if known.updated_ns is None else to_iso(known.updated_ns),
        )
        for camera in scope.cameras.values()
        for known in (health.get(camera.camera_id, never),)
    ]


@router.get("/doors", responses=declared(401, 404))
async def doors(records: RecordsDep, session: SignedIn) -> list[DoorAnswer]:
    """Doors with the cameras that see them now, and the time of their last event."""
    require(session, rights.INVENTORY)
    scope = await load_scope(records, session, rights.INVENTORY)
    with wrapped_errors():
        rows = await records.pool.fetch(
            sql.load("api.cameras", "door_health"), list(scope.doors), records.clock_ns() - DAY_NS
        )
    heard = {row["door_id"]: row for row in rows}
    return [
        DoorAnswer(
            door_id=door.door_id,
            site_id=door.site_id,
            name=door.name,
            removed=door.removed,
            cameras=[camera_id for camera_id in door.cameras if camera_id in scope.cameras],
            last_event=None if (last_ns := heard[door.door_id]["last_ns"]) is None else to_iso(last_ns),
            events_last_day=heard[door.door_id]["events"],
        )
        for door in scope.doors.values()
    ]
