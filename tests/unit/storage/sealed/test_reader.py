"""The reader over a fetch: what it fetches, how often, and what happens while several tasks read."""

from __future__ import annotations

import asyncio
import os
from itertools import pairwise

import pytest

from storage.sealed import HEADER_SIZE, TRAILER_SIZE, RefusedError, SegmentReader
from storage.sealed.reader import STREAM_PIECE_BYTES
from tests.support.footage.sealed import World, new_world, payload_key_of, seal

CHUNK, SEALED = 1 << 14, (1 << 14) + 16


class Source:
    """An object in memory that records what is fetched of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.fetched: list[tuple[int, int]] = []

    async def fetch(self, start: int, end: int) -> bytes:
        self.fetched.append((start, end))
        await asyncio.sleep(0)
        return self.data[start:end]


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


def reader_of(world: World, source: Source, *, trailer: bytes | None = None) -> SegmentReader:
    key = payload_key_of(source.data, world.hour_private, world.recorders)
    return SegmentReader(key, len(source.data), source.fetch, trailer=trailer)


async def test_range_is_fetched_beside_the_tail_and_the_tail_once(world: World) -> None:
    plain = os.urandom(3 * CHUNK + 100)
    source = Source(seal(world, plain))
    reader = reader_of(world, source)
    assert await reader.read(CHUNK, CHUNK + 5) == plain[CHUNK : CHUNK + 5]
    assert await reader.read(0, 1) == plain[:1]
    assert await reader.read(len(plain) - 1, 1 << 60) == plain[-1:]  # in the tail: nothing more to fetch
    tail = (HEADER_SIZE + 3 * SEALED, len(source.data))
    middle = (HEADER_SIZE + SEALED, HEADER_SIZE + 2 * SEALED)
    assert sorted(source.fetched[:2]) == sorted([tail, middle])
    assert source.fetched[2:] == [(HEADER_SIZE, HEADER_SIZE + SEALED)]


async def test_known_trailer_saves_the_tail(world: World) -> None:
    plain = os.urandom(CHUNK + 100)
    source = Source(seal(world, plain))
    reader = reader_of(world, source, trailer=source.data[-TRAILER_SIZE:])
    assert (await reader.trailer()).plain_len == reader.plain_len == len(plain)
    assert source.fetched == []
    assert await reader.read(0, 1 << 60) == plain
    assert source.fetched == [(HEADER_SIZE, len(source.data) - TRAILER_SIZE)]


async def test_known_trailer_that_is_not_the_objects_is_refused(world: World) -> None:
    source = Source(seal(world, b"x" * 100))
    reader = reader_of(world, source, trailer=seal(world, b"x" * 100)[-TRAILER_SIZE:])
    with pytest.raises(RefusedError):
        await reader.read(0, 1)


@pytest.mark.parametrize("size", [0, CHUNK, 2 * CHUNK])
@pytest.mark.parametrize("how", ["read", "stream"])
async def test_end_is_not_claimed_before_a_last_chunk_without_a_byte_has_opened(
    world: World, size: int, how: str
) -> None:
    """Such a chunk is a tag alone: whoever cuts an object can put any sixteen bytes in its place."""

    async def whole(data: bytes) -> bytes:
        reader = reader_of(world, Source(data), trailer=data[-TRAILER_SIZE:])
        if how == "read":
            return bytes(await reader.read(0, 1 << 60))
        return b"".join([bytes(piece) async for piece in reader.stream(0, 1 << 60)])

    data = bytearray(seal(world, bytes(size)))
    assert await whole(bytes(data)) == bytes(size)
    data[-TRAILER_SIZE - 1] ^= 1
    with pytest.raises(RefusedError):
        await whole(bytes(data))
    if size:
        reader = reader_of(world, Source(bytes(data)), trailer=bytes(data[-TRAILER_SIZE:]))
        assert await reader.read(0, size - 1) == bytes(size - 1)  # that is not the end yet


async def test_many_readers_fetch_the_tail_once(world: World) -> None:
    source = Source(seal(world, b"x" * (2 * CHUNK)))
    reader = reader_of(world, source)
    found = await asyncio.gather(*(reader.read(number, number + 1) for number in range(20)))
    assert all(piece == b"x" for piece in found)
    assert sum(end == len(source.data) for _, end in source.fetched) == 1


async def test_read_goes_on_although_another_task_forgets(world: World) -> None:
    source = Source(seal(world, b"x" * (2 * CHUNK + 5)))
    reader = reader_of(world, source)
    await reader.trailer()
    held = asyncio.Event()

    async def late(start: int, end: int) -> bytes:
        await held.wait()
        return source.data[start:end]

    reading = asyncio.create_task(reader.read(0, 5, late))
    await asyncio.sleep(0)
    reader.forget()
    held.set()
    assert await reading == b"xxxxx"


async def test_errors_of_the_source_reach_the_caller(world: World) -> None:
    source = Source(seal(world, b"x"))

    async def broken(start: int, end: int) -> bytes:
        raise ConnectionError("away")

    key = payload_key_of(source.data, world.hour_private, world.recorders)
    with pytest.raises(ConnectionError, match="away"):
        await SegmentReader(key, len(source.data), broken).read(0, 1)


async def test_stream_ends_its_pieces_at_chunks_and_fetches_none_twice(world: World) -> None:
    plain = os.urandom(2 * STREAM_PIECE_BYTES + CHUNK + 77)
    source = Source(seal(world, plain))
    reader = reader_of(world, source)
    pieces = [bytes(piece) async for piece in reader.stream(5, 1 << 60)]
    assert b"".join(pieces) == plain[5:]
    assert [len(piece) for piece in pieces] == [STREAM_PIECE_BYTES - 5, STREAM_PIECE_BYTES, CHUNK + 77]
    ranges = sorted(source.fetched)
    assert all(a_end <= b_start for (_, a_end), (b_start, _) in pairwise(ranges))
    assert [bytes(piece) async for piece in reader.stream(9, 9)] == []
