"""Which sets a place holds, and what is said of damaged ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.time import DAY_NS, HOUR_NS
from storage.backup import BackupDamagedError, BackupPlaceError, RecoveryKey, RecoveryKeyError
from storage.backup.sealing import seal_part
from tests.unit.upkeep.backup.shelf import KEY, MemoryPlace, source, written
from upkeep.backup.parts import LogPart, log_part
from upkeep.backup.reader import SetReader, choose, furthest, key_of, list_sets
from upkeep.backup.writer import SetWriter, new_set

NOW_NS = 1_796_000_000_000_000_000


async def place_with(tmp_path: Path, rounds: int = 3) -> tuple[MemoryPlace, str]:
    place, file = MemoryPlace(), tmp_path / "file"
    file.write_bytes(b"0")
    state, _ = await written(place, file, NOW_NS)
    for number in range(1, rounds):
        file.write_bytes(str(number).encode())
        await SetWriter(place, source(file), state, clock_ns=lambda at=number: NOW_NS + at).log(None)
    return place, state.set_id


async def test_newest_whole_set_is_chosen(tmp_path: Path) -> None:
    place, old = await place_with(tmp_path)
    state, _ = await written(place, tmp_path / "file", NOW_NS + DAY_NS)
    assert (await choose(place)).set_id == state.set_id
    assert (await choose(place, old)).set_id == old
    await place.delete(f"{state.set_id}/base")
    assert (await choose(place)).set_id == old
    with pytest.raises(BackupPlaceError, match="no whole set"):
        await choose(place, state.set_id)
    with pytest.raises(BackupPlaceError, match="no whole backup"):
        await choose(MemoryPlace())


async def test_set_that_got_more_of_the_log_is_taken_before_a_newer_one(tmp_path: Path) -> None:
    """One made by hand gets no log; nor does one that was whole just as the role was killed."""
    place, old = await place_with(tmp_path)
    file = tmp_path / "file"
    by_hand, _ = await written(place, file, NOW_NS + HOUR_NS)
    assert (await furthest(place, KEY)).set_id == by_hand.set_id
    going_on, _ = await written(place, file, NOW_NS + HOUR_NS // 2)
    await SetWriter(place, source(file), going_on, clock_ns=lambda: NOW_NS + 2 * HOUR_NS).log(None)
    assert (await furthest(place, KEY)).set_id == going_on.set_id != old
    with pytest.raises(RecoveryKeyError, match="another recovery key"):
        await furthest(place, RecoveryKey.generate())


@pytest.mark.parametrize(
    ("ahead_ns", "end", "taken"),
    [
        pytest.param(DAY_NS, 50, True, id="more of the log"),
        pytest.param(DAY_NS, 10, False, id="a clock that was ahead"),
        pytest.param(-DAY_NS, 50, False, id="given up when an older one was restored"),
    ],
)
async def test_neither_time_nor_position_alone_makes_a_set_reach_further(
    tmp_path: Path, ahead_ns: int, end: int, taken: bool
) -> None:
    place, old = await place_with(tmp_path)
    new, _ = await written(place, tmp_path / "file", NOW_NS + 2 * DAY_NS)
    (older,) = [one for one in await list_sets(place) if one.set_id == old]
    for set_id, number, at_ns, wal in (
        (old, older.logs, new.last_ns + ahead_ns, bytes(end)),
        (new.set_id, 1, new.last_ns, bytes(20)),
    ):
        part = LogPart(at_ns=at_ns, start=0, wal=wal, files=())
        sealed = seal_part(log_part(number), part.pack(), await key_of(place, set_id, KEY))
        await place.put(f"{set_id}/{log_part(number)}", sealed)
    assert (await furthest(place, KEY)).set_id == (old if taken else new.set_id)


async def test_log_ends_at_the_first_hole(tmp_path: Path) -> None:
    place, set_id = await place_with(tmp_path)
    await place.delete(f"{set_id}/log-00000001")
    (listing,) = await list_sets(place)
    assert (listing.logs, listing.beyond) == (1, 1)
    opened = await SetReader(place, listing, await key_of(place, set_id, KEY)).open(None)
    assert (opened.tree.files["data/file"], opened.at_ns) == (b"0", NOW_NS)


@pytest.mark.parametrize("part", ["head", "base", "log-00000001"])
async def test_truncated_part_is_named(tmp_path: Path, part: str) -> None:
    place, set_id = await place_with(tmp_path)
    place.parts[f"{set_id}/{part}"] = place.parts[f"{set_id}/{part}"][:-1]
    listing = await choose(place)
    with pytest.raises(BackupDamagedError, match=part):
        await SetReader(place, listing, await key_of(place, set_id, KEY)).open(None)


async def test_parts_that_change_places_are_refused(tmp_path: Path) -> None:
    place, set_id = await place_with(tmp_path)
    one, two = f"{set_id}/log-00000001", f"{set_id}/log-00000002"
    place.parts[one], place.parts[two] = place.parts[two], place.parts[one]
    with pytest.raises(BackupDamagedError, match="log-00000001"):
        await SetReader(place, await choose(place), await key_of(place, set_id, KEY)).open(None)


async def test_wrong_key_is_named(tmp_path: Path) -> None:
    place, set_id = await place_with(tmp_path)
    with pytest.raises(RecoveryKeyError, match="another recovery key"):
        await key_of(place, set_id, RecoveryKey.generate())


async def test_newer_set_of_another_installation_hides_none_of_ours(tmp_path: Path) -> None:
    """Two installations share a place: which set is wanted is asked, and nobody is told that their key is wrong."""
    place, ours = await place_with(tmp_path)
    strangers = RecoveryKey.generate()
    foreign = await sealed_to(place, tmp_path / "file", NOW_NS + DAY_NS, strangers)
    with pytest.raises(RecoveryKeyError, match=f"{foreign} belongs to another recovery key; this one opens {ours}"):
        await furthest(place, KEY)
    assert (await furthest(place, strangers)).set_id == foreign
    reader = SetReader(place, await choose(place, ours), await key_of(place, ours, KEY))
    assert (await reader.open(None)).tree.files == {"data/file": b"2"}


@pytest.mark.parametrize("part", ["head", "base", "log-00000000", "log-00000002"])
async def test_a_flipped_bit_in_any_kind_of_part_is_named(tmp_path: Path, part: str) -> None:
    place, set_id = await place_with(tmp_path)
    name = f"{set_id}/{part}"
    if name not in place.parts:
        pytest.fail(f"no {part} in {sorted(place.parts)}")
    for at in (0, len(place.parts[name]) // 2, len(place.parts[name]) - 1):
        whole = place.parts[name]
        place.parts[name] = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises((BackupDamagedError, RecoveryKeyError)):
            listing = await choose(place)
            await SetReader(place, listing, await key_of(place, set_id, KEY)).open(tmp_path / f"{part}-{at}")
        place.parts[name] = whole


async def sealed_to(place: MemoryPlace, file: Path, now_ns: int, key: RecoveryKey) -> str:
    state = new_set(lambda: now_ns)
    await SetWriter(place, source(file), state, clock_ns=lambda: now_ns).begin(key.writing(), None)
    return state.set_id
