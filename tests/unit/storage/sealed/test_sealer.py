from __future__ import annotations

import hashlib
import os
import uuid

import pytest

from domain.ids import CameraId
from domain.time import HOUR_NS
from storage.sealed import HEADER_SIZE, TRAILER_SIZE, SegmentFullError, WrongKeyError, chunk_log2_for
from storage.sealed.format import CHUNKS_MAX
from tests.support.footage.sealed import START_NS, World, finish, new_sealer, new_world, open_object, seal

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
    assert sealer.unsealed_size == 0
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


def test_chunk_size_follows_the_bit_rate() -> None:
    rates = [0, 100_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, 100_000_000]
    assert [chunk_log2_for(rate) for rate in rates] == [14, 14, 14, 14, 15, 16, 18]


def test_chunk_of_any_camera_fills_within_an_eighth_of_a_second() -> None:
    for exponent in range(20, 28):
        bits_per_s = float(1 << exponent)
        assert (1 << chunk_log2_for(bits_per_s)) * 8 / bits_per_s <= 1 / 8 or chunk_log2_for(bits_per_s) == 14


@pytest.mark.parametrize("chunk_log2", [13, 19])
def test_sealer_with_a_chunk_size_outside_the_format_is_a_mistake(world: World, chunk_log2: int) -> None:
    with pytest.raises(ValueError, match="chunk_log2"):
        new_sealer(world, chunk_log2=chunk_log2)


def test_sealer_takes_exactly_the_plaintext_that_its_chunks_hold(world: World) -> None:
    """All chunks but one, which stays for the end; the claim is checked before anything is kept."""
    sealer = new_sealer(world)
    room = (CHUNKS_MAX - 1) * CHUNK
    assert sealer.room == room
    with pytest.raises(SegmentFullError):
        sealer.push(*[bytes(1 << 20)] * (room >> 20), bytes(room % (1 << 20) + 1))
    assert (sealer.plain_len, sealer.room) == (0, room)
    sealer.push(b"x")
    assert (sealer.unsealed_size, sealer.room) == (1, room - 1)


def test_unfinished_sealer_has_no_trailer_and_a_finished_one_takes_nothing_more(world: World) -> None:
    sealer = new_sealer(world)
    for what in ("trailer", "object_sha256", "trailer_sha256"):
        with pytest.raises(RuntimeError):
            getattr(sealer, what)
    finish(world, sealer)
    assert len(sealer.trailer) == TRAILER_SIZE
    with pytest.raises(RuntimeError):
        sealer.push(bytes(CHUNK))
    with pytest.raises(RuntimeError):
        finish(world, sealer)


def test_piece_that_does_not_fill_a_chunk_is_kept_by_reference(world: World) -> None:
    """A caller that changes a piece afterwards would change the footage: this is why it must not."""
    sealer = new_sealer(world)
    piece = bytearray(b"a" * 100)
    sealer.push(piece)
    piece[:] = b"b" * 100
    data = sealer.header + finish(world, sealer)
    assert open_object(data, world.hour_private, world.recorders) == b"b" * 100
