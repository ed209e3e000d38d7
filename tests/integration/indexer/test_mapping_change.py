"""A door's cameras change while events come: the tags are by what was in force when the door was used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from domain.ids import CameraId
from domain.time import DAY_NS, NS
from indexer.tagger import join
from storage.catalogue.inventory import Inventory, MappingEntry, apply_inventory
from tests.support.doors.door_log import Gym, add_event, commit_segment, ensure_days, segment
from tests.support.doors.join import expected_tags, tags_in_force

pytestmark = pytest.mark.services
T = 20_500 * DAY_NS + DAY_NS // 2
SEGMENT_NS = 10 * NS


async def film(ingest: asyncpg.Connection, gym: Gym) -> None:
    """Two minutes of every camera around T."""
    await ensure_days(ingest, T)
    for camera in gym.cameras:
        for number in range(-4, 12):
            start_ns = T + number * SEGMENT_NS
            await commit_segment(ingest, segment(gym, camera, start_ns, start_ns + SEGMENT_NS))


async def joined(pool: asyncpg.Pool) -> None:
    """Until the outbox is empty."""
    taken = 1
    while taken:
        async with pool.acquire() as conn, conn.transaction():
            taken = (await join(conn, 1000, T + 60 * NS)).taken


def seen_by(gym: Gym, cameras: Sequence[CameraId], before_ns: int = 2 * NS, after_ns: int = 3 * NS) -> Inventory:
    """The front door's cameras; the others' stay."""
    door_id = gym.doors["front"]
    made = [
        MappingEntry(door_id=door_id, camera_id=camera, before_ns=before_ns, after_ns=after_ns) for camera in cameras
    ]
    inventory = gym.inventory()
    others = [mapping for mapping in inventory.mappings if mapping.door_id != door_id]
    return replace(inventory, mappings=(*others, *made))


async def check(owner: asyncpg.Connection) -> int:
    expected = await expected_tags(owner)
    assert await tags_in_force(owner) == expected
    return len(expected)


@pytest.mark.parametrize("what", ["another camera", "another window", "one more", "none", "back again"])
async def test_event_from_the_change_on_is_tagged_by_the_new_mapping(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym, what: str
) -> None:
    """A controller whose clock is a minute fast: its event was joined before the change that it comes after."""
    await film(ingest, gym)
    before = list(gym.inventory().mappings)
    await add_event(owner, gym, "front", T)
    await add_event(owner, gym, "front", T + 60 * NS)
    await add_event(owner, gym, "back", T + 60 * NS)
    await joined(pool)
    assert await check(owner) > 0
    old = await tags_in_force(owner)
    changed = {
        "another camera": seen_by(gym, gym.cameras[-1:]),
        "another window": seen_by(gym, gym.cameras[:1], 7 * NS, 11 * NS),
        "one more": replace(
            gym.inventory(),
            mappings=(
                *before,
                *(
                    MappingEntry(door_id=gym.doors["front"], camera_id=camera, before_ns=NS, after_ns=NS)
                    for camera in gym.cameras
                    if camera not in {one.camera_id for one in before if one.door_id == gym.doors["front"]}
                ),
            ),
        ),
        "none": seen_by(gym, ()),
        "back again": seen_by(gym, ()),
    }[what]
    await apply_inventory(owner, changed, T + 20 * NS)
    await joined(pool)
    await check(owner)
    assert await tags_in_force(owner) != old
    if what == "back again":
        await apply_inventory(owner, gym.inventory(), T + 21 * NS)
        await joined(pool)
        await check(owner)
        assert len(await tags_in_force(owner)) == len(old)


async def test_event_joined_between_the_time_of_a_change_and_its_commit(
    owner: asyncpg.Connection, ingest: asyncpg.Connection, pool: asyncpg.Pool, gym: Gym
) -> None:
    await film(ingest, gym)
    await joined(pool)
    transaction = owner.transaction()
    await transaction.start()
    await apply_inventory(owner, seen_by(gym, gym.cameras[-1:]), T)
    async with pool.acquire() as conn:
        await add_event(conn, gym, "front", T + NS // 20)  # type: ignore[arg-type]
    await joined(pool)
    await transaction.commit()
    await apply_inventory(owner, seen_by(gym, gym.cameras[-1:]), T + NS)  # as at the next look at the configuration
    await joined(pool)
    assert await check(owner) > 0
