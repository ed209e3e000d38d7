"""Each person's own wall of a site: which cameras, in which order."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.problems import Problem, declared, not_found
from api.live.room import CAMERAS_MAX
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.scope import load_scope
from api.sign_in.sessions import SignedIn, require
from domain.ids import CameraId, SiteId
from runtime import sql
from runtime.database import wrapped_errors

router = APIRouter(prefix="/v1", tags=["live"])


class WallAnswer(BaseModel):
    """A site's wall; cameras that the person may no longer see are left out."""

    site_id: UUID
    camera_ids: list[UUID]


class WallBody(BaseModel):
    """The cameras in their order; none: all of the site, by name."""

    camera_ids: Annotated[list[UUID], Field(max_length=CAMERAS_MAX)]


@router.get("/live/walls", responses=declared(401, 404))
async def walls(records: RecordsDep, session: SignedIn) -> list[WallAnswer]:
    """Walls that the person has arranged."""
    require(session, rights.LOOK)
    scope = await load_scope(records, session, rights.LOOK)
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load("api.live", "walls"), session.staff_id)
    return [
        WallAnswer(site_id=row["site_id"], camera_ids=[each for each in row["camera_ids"] if each in scope.cameras])
        for row in rows
        if row["site_id"] in scope.sites
    ]


@router.put("/live/walls/{site_id}", status_code=204, responses=declared(401, 404))
async def arrange_wall(records: RecordsDep, session: SignedIn, site_id: UUID, body: WallBody) -> None:
    """Remember the person's wall of a site. It shows nothing, so nothing goes on record."""
    scope = await load_scope(records, session, rights.LOOK)
    if SiteId(site_id) not in scope.sites:
        raise not_found()
    if any(scope.camera(CameraId(each)).site_id != site_id for each in body.camera_ids):
        raise Problem(422, "wall", "A wall shows cameras of one site.", "Choose cameras of this site.")
    if len(set(body.camera_ids)) < len(body.camera_ids):
        raise Problem(422, "wall", "A camera is on the wall twice.", "Name each camera once.")
    name = "wall_arrange" if body.camera_ids else "wall_forget"
    arguments = (session.staff_id, site_id, *([body.camera_ids] if body.camera_ids else []))
    with wrapped_errors():
        await records.pool.execute(sql.load("api.live", name), *arguments)
