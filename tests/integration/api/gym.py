"""Two sites with doors, cameras and members, and an hour in which something happened."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass

import asyncpg

from domain.ids import CameraId, DoorId, EventId, MemberId, SiteId, camera_id_of, door_id_of, site_id_of
from domain.time import NS
from storage.access import fold
from storage.catalogue.inventory import CameraEntry, DoorEntry, Inventory, MappingEntry, SiteEntry, apply_inventory

NORTH, SOUTH = site_id_of("North"), site_id_of("South")
FRONT, SIDE, SOUTH_DOOR = door_id_of(NORTH, "Front door"), door_id_of(NORTH, "Side door"), door_id_of(SOUTH, "Pääovi")
LOBBY, CORRIDOR = camera_id_of(NORTH, "Lobby"), camera_id_of(NORTH, "Corridor")
SOUTH_CAMERA = camera_id_of(SOUTH, "Aula")


@dataclass(kw_only=True)
class Gym:
    """Who there is, and what happened when."""

    owner: asyncpg.Connection
    now_ns: int
    aino: MemberId
    onni: MemberId
    granted: EventId
    south: EventId

    async def event(
        self,
        kind: str,
        at_ns: int,
        *,
        site: SiteId = NORTH,
        door: DoorId = FRONT,
        member: MemberId | None = None,
        direction: str | None = None,
    ) -> EventId:
        event_id = EventId(uuid.uuid4())
        await self.owner.execute(
            "INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, direction, member_id, occurred_ns,"
            " received_ns) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
            event_id, os.urandom(32), site, door, kind, direction, member, at_ns,
        )  # fmt: skip
        return event_id


async def open_gym(owner: asyncpg.Connection, now_ns: int) -> Gym:
    await apply_inventory(owner, _inventory(), now_ns)
    aino, onni = MemberId(uuid.uuid4()), MemberId(uuid.uuid4())
    for member_id, number, name in ((aino, "1042", "Aino Virtanen"), (onni, "2077", "Onni Järvi <b>")):
        await owner.execute("INSERT INTO member VALUES ($1, 0)", member_id)
        await _identity(owner, member_id, number, name)
    gym = Gym(
        owner=owner,
        now_ns=now_ns,
        aino=aino,
        onni=onni,
        granted=EventId(uuid.UUID(int=0)),
        south=EventId(uuid.UUID(int=0)),
    )
    gym.granted = await gym.event("granted", now_ns - 3600 * NS, member=aino, direction="in")
    await gym.event("entered", now_ns - 3598 * NS, member=aino)
    await gym.event("exit", now_ns - 600 * NS, member=aino, direction="out")
    await gym.event("denied", now_ns - 1800 * NS, door=SIDE, member=aino)
    gym.south = await gym.event("granted", now_ns - 1200 * NS, site=SOUTH, door=SOUTH_DOOR, member=onni)
    await owner.execute(
        "INSERT INTO gap VALUES ($1, $2, $3, 'unreachable', '')", LOBBY, now_ns - 3600 * NS, now_ns - 3595 * NS
    )
    return gym


async def _identity(owner: asyncpg.Connection, member_id: MemberId, number: str, name: str) -> None:
    await owner.execute(
        "INSERT INTO member_identity (member_id, number, name, search) VALUES ($1, $2, $3, $4)",
        member_id, number, name, fold(name),
    )  # fmt: skip


def _inventory() -> Inventory:
    def camera(camera_id: CameraId, site_id: SiteId, name: str) -> CameraEntry:
        return CameraEntry(camera_id=camera_id, site_id=site_id, name=name, retention_s=72 * 3600)

    def mapping(door_id: DoorId, camera_id: CameraId) -> MappingEntry:
        return MappingEntry(door_id=door_id, camera_id=camera_id, before_ns=5 * NS, after_ns=10 * NS)

    return Inventory(
        sites=(
            SiteEntry(site_id=NORTH, name="North", time_zone="Europe/Helsinki"),
            SiteEntry(site_id=SOUTH, name="South", time_zone="Europe/Helsinki"),
        ),
        cameras=(
            camera(LOBBY, NORTH, "Lobby"),
            camera(CORRIDOR, NORTH, "Corridor"),
            camera(SOUTH_CAMERA, SOUTH, "Aula"),
        ),
        doors=(
            DoorEntry(door_id=FRONT, site_id=NORTH, name="Front door", external_id="f"),
            DoorEntry(door_id=SIDE, site_id=NORTH, name="Side door", external_id="s"),
            DoorEntry(door_id=SOUTH_DOOR, site_id=SOUTH, name="Pääovi", external_id="p"),
        ),
        mappings=(
            mapping(FRONT, LOBBY),
            mapping(FRONT, CORRIDOR),
            mapping(SIDE, CORRIDOR),
            mapping(SOUTH_DOOR, SOUTH_CAMERA),
        ),
    )
