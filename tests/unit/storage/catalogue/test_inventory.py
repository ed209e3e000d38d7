"""The configuration goes into the database in one transaction; events are joined anew behind it."""

from __future__ import annotations

from uuid import UUID

from domain.ids import CameraId, DoorId, SiteId
from runtime import sql
from storage.catalogue.inventory import (
    CameraEntry,
    DoorEntry,
    Inventory,
    MappingEntry,
    SiteEntry,
    apply_inventory,
)
from tests.support.database.recording_pool import RecordingPool

PACKAGE = "storage.catalogue"
SITE, CAMERA, DOORS = SiteId(UUID(int=1)), CameraId(UUID(int=2)), [DoorId(UUID(int=3)), DoorId(UUID(int=4))]
INVENTORY = Inventory(
    sites=(SiteEntry(site_id=SITE, name="North", time_zone="Europe/Helsinki"),),
    cameras=(CameraEntry(camera_id=CAMERA, site_id=SITE, name="Lobby", retention_s=60),),
    doors=tuple(DoorEntry(door_id=door, site_id=SITE, name=f"D{door.int}", external_id="x") for door in DOORS),
    mappings=(MappingEntry(door_id=DOORS[0], camera_id=CAMERA, before_ns=10, after_ns=20),),
)


async def test_only_doors_that_were_unknown_have_mappings_from_the_beginning() -> None:
    pool = RecordingPool(*[[]] * 6, [{"door_id": DOORS[0]}])
    await apply_inventory(pool, INVENTORY, 99)
    (opened,) = pool.asked_for(PACKAGE, "inventory_mappings_open")
    assert opened == ([DOORS[0]], [CAMERA], [10], [20], 99, [DOORS[1]])


async def test_all_changes_are_one_transaction_and_the_events_come_behind_it() -> None:
    pool = RecordingPool()
    await apply_inventory(pool, INVENTORY, 99)
    assert pool.asked[0][0] == sql.load(PACKAGE, "inventory_lock")
    assert pool.outside == [sql.load(PACKAGE, "inventory_mappings_changed")]
    assert pool.asked[-1] == (pool.outside[0], (99,))


async def test_names_are_freed_before_they_are_given_and_what_is_gone_is_marked_first() -> None:
    pool = RecordingPool()
    await apply_inventory(pool, INVENTORY, 99)
    order = [statement for statement, _ in pool.asked]
    for kind in ("cameras", "doors"):
        names = [f"inventory_{kind}_remove", f"inventory_{kind}_free_names", f"inventory_{kind}"]
        places = [order.index(sql.load(PACKAGE, name)) for name in names]
        assert places == sorted(places)
    assert order.index(sql.load(PACKAGE, "inventory_mappings_close")) < order.index(
        sql.load(PACKAGE, "inventory_mappings_open")
    )
