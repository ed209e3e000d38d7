from __future__ import annotations

import hashlib
import io
import os
import uuid

import pytest

from domain.ids import CameraId
from domain.time import HOUR_NS
from storage.sealed import (
    HEADER_SIZE,
    OVERHEAD,
    TRAILER_SIZE,
    RefusedError,
    WrongKeyError,
    chunk_log2_for,
    object_name,
    read_finished,
    recover,
)
from storage.sealed.format import STATE_RECOVERED, ZERO_HASH, parse_header, parse_trailer
from tests.support.footage.sealed import END_NS, START_NS, World, finish, new_sealer, new_world, open_object, seal

CHUNK = 1 << 14


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 185, CHUNK - 184, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 100])
def test_sealer_at_boundary_sizes_opens_again(world: World, size: int) -> None:
    plain = os.urandom(size)
    assert open_object(seal(world, plain), world.hour_private, world.recorders) == plain


@pytest.mark.parametrize("short", [1, 7, 8, 9, 183])
def test_sealer_with_a_long_last_chunk_closes_it_by_a_free_box(world: World, short: int) -> None:
    plain = os.urandom(CHUNK - short)
    opened = open_object(seal(world, plain), world.hour_private, world.recorders)
    assert opened[: len(plain)] == plain
    box = opened[len(plain) :]
    assert int.from_bytes(box[:4], "big") == len(box)
    assert box[4:8] == b"free"
    assert not any(box[8:])


@pytest.mark.parametrize("chunk_log2", [14, 15, 16, 17, 18])
def test_sealer_at_every_chunk_size_takes_any_cut_of_the_input(world: World, chunk_log2: int) -> None:
    plain = os.urandom(3 * (1 << chunk_log2) + 1234)
    sealer = new_sealer(world, chunk_log2=chunk_log2)
    pieces = [sealer.header]
    at = 0
    for size in (1, 100, 1 << chunk_log2, (2 << chunk_log2) - 100, len(plain)):
        pieces += sealer.push(memoryview(plain)[at : at + size])
        at = min(at + size, len(plain))
        assert sealer.plain_len == at
    pieces.append(finish(world, sealer))
    data = b"".join(pieces)
    assert open_object(data, world.hour_private, world.recorders) == plain
    assert sealer.object_sha256 == hashlib.sha256(data).digest()
    assert sealer.trailer_sha256 == hashlib.sha256(data[-TRAILER_SIZE:]).digest()


@pytest.mark.parametrize("rest", [1, 7, 8, 9, CHUNK - 1, 0])
def test_pad_with_few_bytes_left_goes_one_chunk_further(world: World, rest: int) -> None:
    sealer = new_sealer(world)
    plain = os.urandom(CHUNK - rest if rest else CHUNK)
    sealed = sealer.push(plain)
    sealed += sealer.pad()
    assert sealer.waiting == 0
    assert len(sealed) == (2 if 0 < rest < 8 else 1)
    data = b"".join((sealer.header, *sealed, finish(world, sealer)))
    opened = open_object(data, world.hour_private, world.recorders)
    box = opened[len(plain) :]
    assert opened.startswith(plain)
    assert (int.from_bytes(box[:4], "big"), box[4:8]) == ((len(box), b"free") if rest else (0, b""))


def test_sealer_with_a_key_of_another_camera_or_hour_is_refused(world: World) -> None:
    with pytest.raises(WrongKeyError):
        new_sealer(world, start_ns=START_NS + HOUR_NS)
    with pytest.raises(WrongKeyError):
        new_sealer(
            World(
                site_id=world.site_id,
                camera_id=CameraId(uuid.uuid4()),
                hour_private=world.hour_private,
                hour_key=world.hour_key,
                recorder_id=world.recorder_id,
                recorder_private=world.recorder_private,
            )
        )


def test_every_attempt_takes_new_salt_and_key(world: World) -> None:
    a, b = seal(world, b"x" * 100), seal(world, b"x" * 100)
    assert a[80:HEADER_SIZE] != b[80:HEADER_SIZE]
    assert a[HEADER_SIZE : HEADER_SIZE + 100] != b[HEADER_SIZE : HEADER_SIZE + 100]


def test_recovery_of_a_file_cut_at_any_byte_keeps_exactly_the_full_chunks(world: World) -> None:
    plain = os.urandom(3 * CHUNK + CHUNK - 184)  # the longest last chunk that the sealer leaves
    data = seal(world, plain)
    lengths = [*range(HEADER_SIZE, len(data), 997), *range(len(data) - 400, len(data))]
    for length in lengths:
        file = io.BytesIO(data[:length] + bytes(100))
        assert read_finished(file, length, world.recorders[world.recorder_id]) is None
        mended = recover(
            file,
            length,
            end_ns=END_NS,
            previous_trailer_sha256=ZERO_HASH,
            recorder_id=world.recorder_id,
            sign=world.recorder_private.sign,
        )
        whole = data[: mended.keep] + mended.trailer
        chunks = min(3, (length - HEADER_SIZE) // (CHUNK + 16))
        assert mended.plain_len == chunks * CHUNK
        assert (len(whole), hashlib.sha256(whole).digest()) == (mended.size, mended.sha256)
        assert open_object(whole, world.hour_private, world.recorders) == plain[: chunks * CHUNK]
        again = read_finished(io.BytesIO(whole), len(whole), world.recorders[world.recorder_id])
        assert again is not None
        assert (again.trailer.state, again.sha256) == (STATE_RECOVERED, mended.sha256)


def test_finished_file_after_a_crash_is_found_whole(world: World) -> None:
    data = seal(world, os.urandom(50_000))
    found = read_finished(io.BytesIO(data + b"stale"), len(data), world.recorders[world.recorder_id])
    assert found is not None
    assert found.sha256 == hashlib.sha256(data).digest()
    assert found.trailer == parse_trailer(data[-TRAILER_SIZE:])
    damaged = bytearray(data)
    damaged[5000] ^= 1
    assert read_finished(io.BytesIO(damaged), len(data), world.recorders[world.recorder_id]) is None
    assert read_finished(io.BytesIO(data), len(data), bytes(32)) is None


def test_recovery_without_a_whole_header_is_refused(world: World) -> None:
    data = seal(world, b"")
    assert len(data) == OVERHEAD + 16
    with pytest.raises(RefusedError):
        read_finished(io.BytesIO(data), HEADER_SIZE - 1, bytes(32))
    with pytest.raises(RefusedError):
        read_finished(io.BytesIO(bytes(500)), 500, bytes(32))


def test_object_name_holds_ids_and_times_only(world: World) -> None:
    core = parse_header(seal(world, b"")[:HEADER_SIZE]).core
    name = object_name(
        site_id=core.site_id, camera_id=core.camera_id, segment_id=core.segment_id, start_ns=core.start_ns
    )
    assert name == f"v1/{world.site_id}/{world.camera_id}/20260921/{START_NS}-{core.segment_id}.tlns"


def test_chunk_size_follows_the_bit_rate() -> None:
    rates = [0, 100_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, 100_000_000]
    assert [chunk_log2_for(rate) for rate in rates] == [14, 14, 14, 14, 15, 16, 18]
