"""A changed retention and what is recorded already: longer by itself, shorter on confirmation, also in old copies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from custodian.expiry import change
from custodian.keys import resealing
from domain.ids import CameraId
from domain.time import HOUR_NS, hour_of
from tests.conftest import Database
from tests.support.footage.custodian import Recorded
from tests.support.footage.past import Past, past

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(database: Database, tmp_path: Path) -> AsyncIterator[Past]:
    async with past(database.owner, database.custodian, tmp_path, back_h=60) as made:
        yield made


async def keep(gym: Past, camera: CameraId, hours: int) -> None:
    await gym.owner.execute("UPDATE camera SET retention_s = $2 WHERE camera_id = $1", camera, hours * 3600)


async def recorded_hours(gym: Past, *cameras: CameraId, count: int) -> list[list[Recorded]]:
    """Of each camera a segment in each of so many hours; the clock is in the last one."""
    made: list[list[Recorded]] = [[] for _ in cameras]
    for number in range(count):
        if number:
            gym.clock.now_ns += HOUR_NS
        for camera, segments in zip(cameras, made, strict=True):
            segments += await gym.record(camera, 1)
    return made


async def test_longer_takes_effect_by_itself_for_what_lives(gym: Past) -> None:
    camera = await gym.camera(2)
    (segments,) = await recorded_hours(gym, camera, count=5)
    await gym.expiry.run_once()
    assert await gym.opens(segments) == 3  # the first two are over
    await keep(gym, camera, 10)
    assert await gym.change.run_once() > 0
    assert gym.change.held() is None
    gym.clock.now_ns += 8 * HOUR_NS
    await gym.expiry.run_once()
    assert await gym.opens(segments) == 3
    gym.clock.now_ns += 4 * HOUR_NS
    await gym.expiry.run_once()
    assert await gym.opens(segments) == 0


async def test_shorter_waits_for_an_operator_and_says_what_it_will_do(gym: Past) -> None:
    camera, other = await gym.camera(20), await gym.camera(20)
    segments, others = await recorded_hours(gym, camera, other, count=6)
    await keep(gym, camera, 2)
    assert await gym.change.run_once() == 0
    assert "6 camera-hours would end sooner, 3 of them at once" in str(gym.change.held())
    await gym.expiry.run_once()
    assert await gym.opens(segments) == 6
    await gym.expiry.confirm(hour_of(gym.clock()), 3, "operator:0", {str(camera): 2 * 3600})
    await gym.change.run_once()
    assert gym.change.held() is None
    await gym.expiry.run_once()
    assert await gym.opens(segments) == 3
    assert await gym.opens(others) == 6
    await keep(gym, camera, 1)  # the word was for two hours
    await gym.change.run_once()
    assert gym.change.held() is not None


async def test_old_copies_of_shortened_rows_do_not_open_and_others_do(gym: Past) -> None:
    """Rows of a backup made before the change, put back, with the keyring of after it."""
    camera, other = await gym.camera(20), await gym.camera(20)
    segments, others = await recorded_hours(gym, camera, other, count=4)
    await gym.owner.execute("CREATE TABLE kept AS SELECT * FROM hour_key")
    await keep(gym, camera, 8)
    await gym.change.run_once()
    await gym.expiry.confirm(hour_of(gym.clock()), 0, "operator:0", {str(camera): 8 * 3600})
    await gym.change.run_once()
    assert await gym.opens([*segments, *others]) == 8  # not over yet
    await gym.owner.execute("DELETE FROM hour_key WHERE camera_id = $1", camera)
    await gym.owner.execute("INSERT INTO hour_key SELECT * FROM kept WHERE camera_id = $1", camera)
    assert await gym.opens(segments) == 0
    assert await gym.opens(others) == 4
    assert await gym.custody.keyring.replaced() == frozenset()


@pytest.mark.parametrize(
    "place", ["change.replaced", "change.moved", "reseal.renewed", "reseal.backed_up", "reseal.dropped"]
)
async def test_crash_on_the_way_loses_nothing_and_is_finished(
    gym: Past, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, other = await gym.camera(20), await gym.camera(20)
    segments, others = await recorded_hours(gym, camera, other, count=4)
    await keep(gym, camera, 8)
    await gym.expiry.confirm(hour_of(gym.clock()), 0, "operator:0", {str(camera): 8 * 3600})

    class CrashError(Exception):
        pass

    def crash(name: str) -> None:
        if name == place:
            raise CrashError

    for module in (change, resealing):
        monkeypatch.setattr(module, "hit", crash)
    with pytest.raises(CrashError):
        await gym.change.run_once()
    assert await gym.opens([*segments, *others]) == 8
    monkeypatch.undo()
    await gym.change.run_once()
    assert await gym.opens([*segments, *others]) == 8
    assert await gym.custody.keyring.replaced() == frozenset()
    gym.clock.now_ns += 9 * HOUR_NS
    await gym.expiry.run_once()
    assert (await gym.opens(segments), await gym.opens(others)) == (0, 4)


async def test_nothing_moves_in_a_restored_database_before_a_person_has_looked(gym: Past) -> None:
    """It may not know all keys of an entry: with another key for it, those that the journal brings back are lost."""
    camera, unknown = await gym.camera(20), await gym.camera(20)
    segments, others = await recorded_hours(gym, camera, unknown, count=2)
    await gym.owner.execute("CREATE TABLE journalled AS SELECT * FROM hour_key WHERE camera_id = $1", unknown)
    await gym.owner.execute("DELETE FROM hour_key WHERE camera_id = $1", unknown)
    await gym.owner.execute("INSERT INTO retention_pause VALUES ('the database was restored', 0)")
    await keep(gym, camera, 30)
    assert await gym.change.run_once() == 0
    assert await gym.erasures.run_once() == 0
    await gym.owner.execute("INSERT INTO hour_key SELECT * FROM journalled")
    assert await gym.opens([*segments, *others]) == 4
    await gym.owner.execute("DELETE FROM retention_pause")
    assert await gym.change.run_once() > 0
    assert await gym.opens([*segments, *others]) == 4
