"""Copies the configuration's sites, cameras, doors and mappings into the database, so that rows can refer to them.

What the configuration no longer names is marked as removed, not deleted: its footage stays searchable until it
expires. Mappings are versioned: moving a camera today does not change yesterday's tags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import asyncpg

from domain.ids import CameraId, DoorId, SiteId
from runtime import sql
from runtime.database import wrapped_errors

_PACKAGE: Final = "storage.catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEntry:
    """A site of the configuration."""

    site_id: SiteId
    name: str
    time_zone: str  # IANA name


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraEntry:
    """A camera of the configuration."""

    camera_id: CameraId
    site_id: SiteId
    name: str
    retention_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorEntry:
    """A door of the configuration."""

    door_id: DoorId
    site_id: SiteId
    name: str
    external_id: str  # the door system's name for the door


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingEntry:
    """A camera that views a door. Footage from ``before_ns`` before to ``after_ns`` after an event is tagged."""

    door_id: DoorId
    camera_id: CameraId
    before_ns: int
    after_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything the configuration names. It has checked that ids are unique and names unique within a site."""

    sites: tuple[SiteEntry, ...]
    cameras: tuple[CameraEntry, ...]
    doors: tuple[DoorEntry, ...]
    mappings: tuple[MappingEntry, ...]


async def apply_inventory(conn: asyncpg.Connection, inventory: Inventory, now_ns: int) -> None:
    """Make the database equal to the configuration, in one transaction. ``conn``: of the owner role. Repeatable.

    Mappings of a new door are valid from the beginning of time, so that events which arrive late find them; any other
    change is valid from ``now_ns``. Raises the database errors of runtime/errors.py.
    """
    with wrapped_errors():
        async with conn.transaction():
            await conn.execute(sql.load(_PACKAGE, "inventory_lock"))
            await _apply_sites(conn, inventory)
            await _apply_cameras(conn, inventory, now_ns)
            new_doors = await _apply_doors(conn, inventory, now_ns)
            await _apply_mappings(conn, inventory, new_doors, now_ns)
        # After the commit: an event that was joined earlier is joined again, a later one sees the new mappings anyway.
        # Within the transaction, an event joined just before the commit would be missed.
        await conn.execute(sql.load(_PACKAGE, "inventory_mappings_changed"), now_ns)


async def _apply_sites(conn: asyncpg.Connection, inventory: Inventory) -> None:
    sites = inventory.sites
    ids = [site.site_id for site in sites]
    names = [site.name for site in sites]
    await conn.execute(sql.load(_PACKAGE, "inventory_sites_free_names"), ids, names)
    await conn.execute(sql.load(_PACKAGE, "inventory_sites"), ids, names, [site.time_zone for site in sites])


async def _apply_cameras(conn: asyncpg.Connection, inventory: Inventory, now_ns: int) -> None:
    cameras = inventory.cameras
    ids = [camera.camera_id for camera in cameras]
    site_ids = [camera.site_id for camera in cameras]
    names = [camera.name for camera in cameras]
    retention = [camera.retention_s for camera in cameras]
    await conn.execute(sql.load(_PACKAGE, "inventory_cameras_remove"), ids, now_ns)
    await conn.execute(sql.load(_PACKAGE, "inventory_cameras_free_names"), ids, site_ids, names)
    await conn.execute(sql.load(_PACKAGE, "inventory_cameras"), ids, site_ids, names, retention)


async def _apply_doors(conn: asyncpg.Connection, inventory: Inventory, now_ns: int) -> list[DoorId]:
    doors = inventory.doors
    ids = [door.door_id for door in doors]
    known = {row["door_id"] for row in await conn.fetch(sql.load(_PACKAGE, "inventory_doors_known"), ids)}
    columns = (
        ids,
        [door.site_id for door in doors],
        [door.name for door in doors],
        [door.external_id for door in doors],
    )
    await conn.execute(sql.load(_PACKAGE, "inventory_doors_remove"), ids, now_ns)
    await conn.execute(sql.load(_PACKAGE, "inventory_doors_free_names"), *columns)
    await conn.execute(sql.load(_PACKAGE, "inventory_doors"), *columns)
    return [door_id for door_id in ids if door_id not in known]


async def _apply_mappings(conn: asyncpg.Connection, inventory: Inventory, new_doors: list[DoorId], now_ns: int) -> None:
    mappings = inventory.mappings
    columns = (
        [mapping.door_id for mapping in mappings],
        [mapping.camera_id for mapping in mappings],
        [mapping.before_ns for mapping in mappings],
        [mapping.after_ns for mapping in mappings],
    )
    await conn.execute(sql.load(_PACKAGE, "inventory_mappings_close"), *columns, now_ns)
    await conn.execute(sql.load(_PACKAGE, "inventory_mappings_open"), *columns, now_ns, new_doors)
