"""The part of the inventory that a person's grants show. Every answer is cut to it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from api.http.problems import not_found
from api.records import Records
from api.sign_in import rights
from api.sign_in.sessions import Session
from domain.ids import CameraId, DoorId, MemberId, SiteId, StaffId
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import MemberRow, search_members

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A site that a person may see."""

    site_id: SiteId
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraRow:
    """A camera that a person may see."""

    camera_id: CameraId
    site_id: SiteId
    name: str
    retention_s: int
    removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRow:
    """A door that a person may see."""

    door_id: DoorId
    site_id: SiteId
    name: str
    removed: bool
    cameras: tuple[CameraId, ...]  # now, not cut to the scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Sites are those of the cameras and doors in it; whole sites those without a limit to single cameras."""

    sites: dict[SiteId, SiteRow]
    whole_sites: tuple[SiteId, ...]
    cameras: dict[CameraId, CameraRow]
    doors: dict[DoorId, DoorRow]
    everywhere: bool

    def camera(self, camera_id: CameraId) -> CameraRow:
        """404 when it is not in the scope."""
        if camera_id not in self.cameras:
            raise not_found()
        return self.cameras[camera_id]

    def zone_of(self, site_id: SiteId) -> str:
        """Return a site's IANA time zone. KeyError outside the scope."""
        return self.sites[site_id].time_zone


async def load_scope(records: Records, session: Session, roles: tuple[str, ...]) -> Scope:
    """The scope of these roles of the person."""
    return await scope_of(records, session.staff_id, session.grants, roles)


async def scope_of(
    records: Records, staff_id: StaffId, grants: Iterable[rights.Grant], roles: tuple[str, ...]
) -> Scope:
    """The scope of these roles of anyone of the staff, who has these grants."""
    with wrapped_errors():
        async with records.pool.acquire() as conn:
            cameras = await conn.fetch(sql.load("api.sign_in", "scope_cameras"), staff_id, list(roles))
            doors = await conn.fetch(sql.load("api.sign_in", "scope_doors"), staff_id, list(roles))
            sites = await conn.fetch(sql.load("api.sign_in", "scope_sites"), staff_id, list(roles))
    return Scope(
        sites={
            SiteId(row["site_id"]): SiteRow(
                site_id=SiteId(row["site_id"]), name=row["name"], time_zone=row["time_zone"]
            )
            for row in sites
        },
        whole_sites=tuple(SiteId(row["site_id"]) for row in sites if row["whole"]),
        cameras={CameraId(row["camera_id"]): CameraRow(**row) for row in cameras},
        doors={
            DoorId(row["door_id"]): DoorRow(
                door_id=DoorId(row["door_id"]),
                site_id=SiteId(row["site_id"]),
                name=row["name"],
                removed=row["removed"],
                cameras=tuple(row["cameras"]),
            )
            for row in doors
        },
        everywhere=rights.has_everywhere(grants, roles),
    )


async def visible_camera(records: Records, session: Session, camera_id: CameraId) -> CameraRow:
    """One camera whose footage the person may look at; 404."""
    with wrapped_errors():
        query = sql.load("api.sign_in", "scope_camera")
        row = await records.pool.fetchrow(query, session.staff_id, list(rights.LOOK), camera_id)
    if row is None:
        _log.warning("session %s asked for camera %s, which it may not see", session.session_id, camera_id)
        raise not_found()
    return CameraRow(**row)


async def visible_members(records: Records, scope: Scope, member_ids: Iterable[MemberId]) -> set[MemberId]:
    """The members who have been at a door in the scope; all of them for staff who may look everywhere."""
    wanted = list(member_ids)
    if scope.everywhere:
        return set(wanted)
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load("api.sign_in", "members_at_doors"), wanted, list(scope.doors))
    return {MemberId(row["member_id"]) for row in rows}


async def named_members(records: Records, scope: Scope, text: str, limit: int) -> tuple[list[MemberRow], bool]:
    """The first ``limit`` (at most 199) visible members that the text names, and whether there are more."""
    doors = None if scope.everywhere else list(scope.doors)
    found = await search_members(records.pool, text, limit + 1, at_doors=doors)
    return found[:limit], len(found) > limit
