"""Ranges of an object: which bytes they need, what opens, and what is refused before a byte is released."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from domain.ids import RecorderId, new_id
from storage.sealed import HEADER_SIZE, TRAILER_SIZE, PayloadKey, RangeOpener, RefusedError
from storage.sealed.format import parse_header, parse_trailer
from storage.sealed.opener import signature_holds
from tests.support.footage.sealed import World, new_world, open_ranges, payload_key_of, seal

CHUNK, SEALED = 1 << 14, (1 << 14) + 16
PLAIN = os.urandom(3 * CHUNK + 100)


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


@pytest.fixture(scope="module")
def data(world: World) -> bytes:
    return seal(world, PLAIN)


@pytest.fixture(scope="module")
def key(world: World, data: bytes) -> PayloadKey:
    return payload_key_of(data, world.hour_private, world.recorders)


EDGES = [
    0,
    1,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    3 * CHUNK - 1,
    3 * CHUNK,
    3 * CHUNK + 1,
    len(PLAIN) - 1,
    len(PLAIN),
    1 << 60,
]


@pytest.mark.parametrize("start", EDGES)
def test_every_range_between_edges_opens_to_its_bytes(data: bytes, key: PayloadKey, start: int) -> None:
    ranges = [(start, end) for end in EDGES]
    assert open_ranges(data, key, ranges) == [PLAIN[start:end] for _, end in ranges]


@pytest.mark.parametrize("start", EDGES)
def test_every_range_opens_the_last_chunk_inline_where_the_trailer_is_known(
    data: bytes, key: PayloadKey, start: int
) -> None:
    opener = RangeOpener(key, len(data), last_inline=True)
    opener.accept_trailer(data[-TRAILER_SIZE:])
    for end in EDGES:
        assert opener.open(start, end, data[slice(*opener.sealed_range(start, end))]) == PLAIN[start:end]


def test_nothing_opens_before_the_tail_was_accepted_nor_after_it_was_forgotten(data: bytes, key: PayloadKey) -> None:
    opener = RangeOpener(key, len(data))
    tail = data[slice(*opener.tail_range)]
    opener.accept_trailer(data[-TRAILER_SIZE:])
    assert not opener.ready  # the last chunk is still to come
    opener.accept_tail(tail)
    assert opener.ready
    opener.forget()
    assert not opener.ready
    with pytest.raises(RuntimeError):
        opener.open(0, 1, data[HEADER_SIZE : HEADER_SIZE + SEALED])


@pytest.mark.parametrize("change", [-1, 1])
def test_piece_of_another_length_than_was_asked_for_is_refused(data: bytes, key: PayloadKey, change: int) -> None:
    opener = RangeOpener(key, len(data))
    start, end = opener.tail_range
    with pytest.raises(RefusedError):
        opener.accept_tail((data + b"\0")[start : end + change])
    with pytest.raises(RefusedError):
        opener.accept_trailer((data + b"\0")[-TRAILER_SIZE - 1 :])
    opener.accept_tail(data[start:end])
    with pytest.raises(RefusedError):
        opener.open(0, 1, data[HEADER_SIZE : HEADER_SIZE + SEALED + change])


def test_moved_and_repeated_chunks_are_refused(data: bytes, key: PayloadKey) -> None:
    chunks = [data[HEADER_SIZE + n * SEALED : HEADER_SIZE + (n + 1) * SEALED] for n in range(3)]
    opener = RangeOpener(key, len(data))
    opener.accept_tail(data[slice(*opener.tail_range)])
    for order in ((1, 0, 2), (0, 0, 2), (0, 2, 1)):
        with pytest.raises(RefusedError):
            opener.open(0, 3 * CHUNK, b"".join(chunks[n] for n in order))


def test_full_chunk_does_not_open_as_the_last_one(world: World, data: bytes, key: PayloadKey) -> None:
    """A recorder that can sign cuts an object at a chunk: its last nonce says that more was to come."""
    opener = RangeOpener(key, len(data))
    tail = bytearray(data[slice(*opener.tail_range)])
    tail[: opener.layout.last_size] = data[HEADER_SIZE : HEADER_SIZE + opener.layout.last_size]
    with pytest.raises(RefusedError):
        opener.accept_tail(tail)
    assert opener.trailer is None


def test_trailer_for_another_size_is_refused_although_it_is_signed(data: bytes, key: PayloadKey) -> None:
    for size in (len(data) + 1, len(data) - 1, len(data) + SEALED, len(data) - 116):
        with pytest.raises(RefusedError):
            RangeOpener(key, size).accept_trailer(data[-TRAILER_SIZE:])


def test_trailer_of_a_recorder_that_is_not_enrolled_is_refused(world: World, data: bytes, key: PayloadKey) -> None:
    public_key = world.recorders[world.recorder_id]
    for recorders in ({}, {RecorderId(new_id()): public_key}, {world.recorder_id: new_world().hour_key.public_key}):
        with pytest.raises(RefusedError):
            RangeOpener(replace(key, recorders=recorders), len(data)).accept_trailer(data[-TRAILER_SIZE:])


def test_signature_holds_for_its_core_and_trailer_only(world: World, data: bytes) -> None:
    public_key = world.recorders[world.recorder_id]
    core_sha256 = parse_header(data[:HEADER_SIZE]).core_sha256
    trailer = parse_trailer(data[-TRAILER_SIZE:])
    assert signature_holds(public_key, core_sha256, trailer)
    assert not signature_holds(public_key, bytes(32), trailer)
    assert not signature_holds(public_key, core_sha256, replace(trailer, end_ns=trailer.end_ns + 1))
    assert not signature_holds(public_key, core_sha256, replace(trailer, previous_sha256=bytes([1]) * 32))


def test_payload_key_is_not_in_its_text(key: PayloadKey) -> None:
    assert key.key.hex() not in repr(key)
    assert repr(key.key) not in repr(key)
