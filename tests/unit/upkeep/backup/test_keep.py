"""What is over is removed, a half-written set too; the newest whole one stays, and what is being written."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.time import DAY_NS
from tests.unit.upkeep.backup.shelf import MemoryPlace, written
from upkeep.backup.keep import keep, remove
from upkeep.backup.reader import list_sets

NOW_NS = 1_796_000_000_000_000_000


async def days_old(place: MemoryPlace, tmp_path: Path, *ages: float) -> list[str]:
    (tmp_path / "file").write_bytes(b"x")
    return [(await written(place, tmp_path / "file", NOW_NS - round(age * DAY_NS)))[0].set_id for age in ages]


async def left(place: MemoryPlace) -> list[str]:
    return [one.set_id for one in await list_sets(place)]


async def test_sets_beyond_their_time_go(tmp_path: Path) -> None:
    place = MemoryPlace()
    sets = await days_old(place, tmp_path, 36, 35.1, 34.9, 1)
    kept = await keep(place, now_ns=NOW_NS, keep_d=35, writing=(), halves_before_ns=NOW_NS)
    assert await left(place) == sets[2:]
    assert (kept.sets, kept.removed) == (2, 2)


async def test_newest_whole_set_stays_whatever_its_age(tmp_path: Path) -> None:
    place = MemoryPlace()
    sets = await days_old(place, tmp_path, 400, 300)
    await keep(place, now_ns=NOW_NS, keep_d=35, writing=(), halves_before_ns=NOW_NS)
    assert await left(place) == sets[1:]


async def test_half_written_set_goes_unless_it_is_being_written(tmp_path: Path) -> None:
    place = MemoryPlace()
    sets = await days_old(place, tmp_path, 3, 2, 1)
    for half in sets[:2]:
        await place.delete(f"{half}/base")
    await keep(place, now_ns=NOW_NS, keep_d=35, writing=(sets[0],), halves_before_ns=NOW_NS - DAY_NS * 2)
    assert await left(place) == sets  # the first is being written, the second begun after the limit
    await keep(place, now_ns=NOW_NS, keep_d=35, writing=(sets[0],), halves_before_ns=NOW_NS)
    assert await left(place) == [sets[0], sets[2]]


async def test_removal_that_is_interrupted_leaves_a_half_written_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = MemoryPlace()
    (set_id,) = await days_old(place, tmp_path, 50)
    (listing,) = await list_sets(place)
    deleted = 0

    async def breaks(name: str) -> None:
        nonlocal deleted
        if deleted:
            raise OSError("gone")
        deleted += 1
        place.parts.pop(name)

    monkeypatch.setattr(place, "delete", breaks)
    with pytest.raises(OSError, match="gone"):
        await remove(place, listing)
    assert [(one.set_id, one.half) for one in await list_sets(place)] == [(set_id, True)]
