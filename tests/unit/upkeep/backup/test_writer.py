"""A set is written so that an answer that is lost, or a crash, neither repeats nor loses a part."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.upkeep.backup.shelf import KEY, MemoryPlace, source, written
from upkeep.backup.reader import SetReader, choose, key_of
from upkeep.backup.writer import SetWriter

NOW_NS = 1_796_000_000_000_000_000


async def files_in(place: MemoryPlace) -> dict[str, bytes]:
    listing = await choose(place)
    reader = SetReader(place, listing, await key_of(place, listing.set_id, KEY))
    return (await reader.open(None)).tree.files


async def test_rounds_after_a_lost_answer_go_on_from_what_was_written(tmp_path: Path) -> None:
    place, file = MemoryPlace(), tmp_path / "file"
    file.write_bytes(b"one")
    state, _ = await written(place, file, NOW_NS)
    writer = SetWriter(place, source(file), state, clock_ns=lambda: NOW_NS + 10)
    file.write_bytes(b"one two")
    place.lost = 1
    with pytest.raises(OSError, match="no answer"):
        await writer.log(None)
    file.write_bytes(b"one two three")
    await SetWriter(place, source(file), state, clock_ns=lambda: NOW_NS + 20).log(None)
    assert await files_in(place) == {"data/file": b"one two three"}
    assert state.number == 3
    assert state.last_ns == NOW_NS + 20


async def test_state_from_before_a_crash_adopts_the_part_that_it_does_not_know(tmp_path: Path) -> None:
    place, file = MemoryPlace(), tmp_path / "file"
    file.write_bytes(b"one")
    state, _ = await written(place, file, NOW_NS)
    number, sent = state.number, dict(state.sent)
    file.write_bytes(b"two")
    await SetWriter(place, source(file), state, clock_ns=lambda: NOW_NS + 10).log(None)
    state.number, state.sent, state.last_ns = number, sent, NOW_NS
    file.write_bytes(b"three")
    await SetWriter(place, source(file), state, clock_ns=lambda: NOW_NS + 20).log(None)
    assert await files_in(place) == {"data/file": b"three"}


async def test_nothing_readable_lies_in_the_place(tmp_path: Path) -> None:
    place, file = MemoryPlace(), tmp_path / "file"
    file.write_bytes(b"a name of somebody")
    state, _ = await written(place, file, NOW_NS)
    whole = b"".join(place.parts.values())
    for secret in (b"somebody", state.key, state.set_key.encode(), KEY.secret):
        assert secret not in whole
    assert (await files_in(place))["data/file"] == b"a name of somebody"  # the control
