"""What is read, and looked at, follows what changed, and not how many keys there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.errors import StorageError
from domain.ids import CameraId, HourKeyId, SiteId
from domain.time import HOUR_NS
from ingest.recording.key_keeper import TOPIC, KeyKeeper
from runtime.problems import Problems
from storage.catalogue.catalogue import HourKeyRow
from storage.keys import HourKeyCache, NoHourKeyError, PublicHourKey

HOUR = 500_000 * HOUR_NS
SERIAL = 1_800_000_000_000_000
TEN_MINUTES = 600_000_000
SIGNER = Ed25519PrivateKey.generate()


def published(camera_id: CameraId, hour_ns: int, serial: int) -> HourKeyRow:
    key = PublicHourKey(
        hour_key_id=HourKeyId(uuid4()),
        site_id=SiteId(uuid4()),
        camera_id=camera_id,
        hour_ns=hour_ns,
        public_key=bytes(32),
        serial=serial,
    )
    return HourKeyRow(
        hour_key_id=key.hour_key_id,
        serial=serial,
        site_id=key.site_id,
        camera_id=camera_id,
        hour_ns=hour_ns,
        public_key=key.public_key,
        state="active",
        signature=SIGNER.sign(key.statement()),
    )


class Published:
    """The catalogue's keys; counts the rows that it gave."""

    def __init__(self, cameras: int, hours: int, serial: int) -> None:
        self.cameras = [CameraId(uuid4()) for _ in range(cameras)]
        self.rows = [
            published(camera, HOUR + hour * HOUR_NS, serial + number * hours + hour)
            for number, camera in enumerate(self.cameras)
            for hour in range(hours)
        ]
        self.given = self.most = 0
        self.away = False

    async def published_hour_keys(
        self, camera_ids: Sequence[CameraId], from_ns: int, above_serial: int = -1
    ) -> list[HourKeyRow]:
        if self.away:
            raise StorageError("The database is away.", "")
        found = [
            row
            for row in self.rows
            if row.camera_id in camera_ids and row.hour_ns >= from_ns and row.serial > above_serial
        ]
        self.given += len(found)
        self.most = max(self.most, len(found))
        return found


class Looks(dict[Any, Any]):
    """The cache's keys by camera and hour; counts the looks."""

    looks = 0

    def get(self, key: Any, default: Any = None) -> Any:
        self.looks += 1
        return super().get(key, default)


class Stand:
    def __init__(self, cameras: int, hours: int, serial: int = SERIAL) -> None:
        self.catalogue = Published(cameras, hours, serial)
        self.cache = HourKeyCache(SIGNER.public_key().public_bytes_raw())
        self.cache._known = self.looks = Looks()
        self.now_ns = HOUR
        self.problems = Problems()
        self.keeper = KeyKeeper(
            self.cache,
            cast("Any", self.catalogue),
            self.problems,
            lambda: self.catalogue.cameras,
            clock_ns=lambda: self.now_ns,
        )

    async def round(self) -> None:
        """One of ``run()``."""
        task = asyncio.create_task(self.keeper.run())
        for _ in range(3 * len(self.catalogue.cameras) + 10):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def work(self, action: Callable[[], Any]) -> tuple[int, int]:
        """Rows read and keys looked at by what is done."""
        self.catalogue.given = self.looks.looks = 0
        done = action()
        if asyncio.iscoroutine(done):
            await done
        return self.catalogue.given, self.looks.looks


@pytest.mark.parametrize("hours", [48, 336])
async def test_a_second_in_which_nothing_changed_looks_at_no_key(hours: int) -> None:
    stand = Stand(3, hours)
    assert await stand.work(stand.round) == (3 * hours, 3 * (hours + 1))
    assert stand.keeper.least_ahead_ns() == hours * HOUR_NS
    stand.now_ns += HOUR_NS // 2
    assert await stand.work(stand.keeper.least_ahead_ns) == (0, 0)
    assert stand.keeper.least_ahead_ns() == hours * HOUR_NS - HOUR_NS // 2


async def test_a_round_in_which_nothing_changed_reads_no_older_key_and_looks_for_one_of_each_camera() -> None:
    stand = Stand(3, 336, SERIAL - 2 * TEN_MINUTES)
    await stand.round()
    fresh = published(stand.catalogue.cameras[1], HOUR + 336 * HOUR_NS, SERIAL)
    stand.catalogue.rows.append(fresh)
    await stand.round()
    rows, looks = await stand.work(stand.round)
    assert rows == 1  # of the last ten minutes
    assert looks <= 2 * 3
    assert stand.cache.ahead_ns(fresh.camera_id, HOUR) == 337 * HOUR_NS


async def test_a_key_that_is_committed_after_one_of_a_higher_serial_is_read() -> None:
    stand = Stand(1, 3)
    await stand.round()
    late = published(stand.catalogue.cameras[0], HOUR + 3 * HOUR_NS, SERIAL - TEN_MINUTES // 2)
    stand.catalogue.rows.append(late)
    await stand.round()
    assert stand.keeper.least_ahead_ns() == 4 * HOUR_NS


async def test_a_new_camera_and_a_changed_state_are_read_whole() -> None:
    stand = Stand(2, 5, SERIAL - 9 * TEN_MINUTES)
    stand.catalogue.rows.append(published(stand.catalogue.cameras[0], HOUR, SERIAL))
    new = stand.catalogue.cameras.pop()
    await stand.round()
    stand.catalogue.cameras.append(new)
    await stand.round()
    assert stand.cache.key_for(new, HOUR + HOUR_NS)
    stand.catalogue.rows = [replace(row, state="dead") for row in stand.catalogue.rows]
    stand.now_ns += HOUR_NS
    await stand.round()
    with pytest.raises(NoHourKeyError):
        stand.cache.key_for(new, stand.now_ns)


async def test_a_camera_that_lacks_the_next_hour_is_asked_for_twice_a_second_whatever_serials_say() -> None:
    stand = Stand(2, 5)
    short = stand.catalogue.cameras[0]
    kept = [row for row in stand.catalogue.rows if row.camera_id != short or row.hour_ns == HOUR]
    stand.catalogue.rows = [*kept, published(stand.catalogue.cameras[1], HOUR, 2**62)]
    await stand.round()
    assert stand.keeper.least_ahead_ns() == HOUR_NS
    stand.catalogue.rows.append(published(short, HOUR + HOUR_NS, SERIAL))
    await stand.round()
    assert stand.keeper.least_ahead_ns() == 2 * HOUR_NS


async def test_without_the_database_what_is_known_goes_on_and_the_problem_is_noted() -> None:
    stand = Stand(1, 5)
    await stand.round()
    stand.catalogue.away = True
    stand.now_ns += 2 * HOUR_NS
    await stand.round()
    assert stand.keeper.least_ahead_ns() == 3 * HOUR_NS
    assert [one["topic"] for one in stand.problems.present()] == [TOPIC]


async def test_without_cameras_nothing_is_ahead() -> None:
    stand = Stand(0, 0)
    await stand.round()
    assert stand.keeper.least_ahead_ns() == 0


async def test_the_keys_of_many_cameras_are_read_a_few_cameras_at_a_time() -> None:
    stand = Stand(40, 24)
    await stand.keeper.refresh()
    assert stand.catalogue.given == 40 * 24
    assert stand.catalogue.most <= 8 * 24
    assert all(stand.cache.key_for(camera, HOUR) for camera in stand.catalogue.cameras)
