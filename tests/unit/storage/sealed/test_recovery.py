"""Torn files: what is whole is signed, from the first lost page on nothing is."""

from __future__ import annotations

import hashlib
import io
import os
import random

import pytest

from storage.sealed import (
    HEADER_SIZE,
    OVERHEAD,
    TRAILER_SIZE,
    RefusedError,
    plan_recovery,
    read_finished,
    written_length,
)
from storage.sealed.format import STATE_RECOVERED, ZERO_HASH, parse_trailer
from storage.sealed.recovery import read_header
from tests.support.footage.sealed import END_NS, World, new_world, open_object, seal

CHUNK = 1 << 14
PAGE = 4096
READ = 1 << 20


@pytest.fixture(scope="module")
def world() -> World:
    return new_world()


def test_recovery_of_a_file_cut_at_any_byte_keeps_exactly_the_full_chunks(world: World) -> None:
    plain = os.urandom(3 * CHUNK + CHUNK - 184)  # the longest last chunk that the sealer leaves
    data = seal(world, plain)
    lengths = [*range(HEADER_SIZE, len(data), 997), *range(len(data) - 400, len(data))]
    for length in lengths:
        file = io.BytesIO(data[:length] + bytes(100))
        assert read_finished(file, length, world.recorders[world.recorder_id]) is None
        plan = plan_recovery(
            file,
            length,
            end_ns=END_NS,
            previous_trailer_sha256=ZERO_HASH,
            recorder_id=world.recorder_id,
            sign=world.recorder_private.sign,
        )
        whole = data[: plan.keep_size] + plan.trailer
        chunks = min(3, (length - HEADER_SIZE) // (CHUNK + 16))
        assert plan.plain_len == chunks * CHUNK
        assert (len(whole), hashlib.sha256(whole).digest()) == (plan.size, plan.sha256)
        assert open_object(whole, world.hour_private, world.recorders) == plain[: chunks * CHUNK]
        again = read_finished(io.BytesIO(whole), len(whole), world.recorders[world.recorder_id])
        assert again is not None
        assert (again.trailer.state, again.sha256) == (STATE_RECOVERED, plan.sha256)


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


def test_finished_file_with_a_trailer_of_another_state_or_length_is_torn(world: World) -> None:
    """A recorder's own trailer, signed, behind other bytes than it speaks of."""
    data = seal(world, bytes(2 * CHUNK + 5))
    key = world.recorders[world.recorder_id]
    cut = data[: HEADER_SIZE + 2 * (CHUNK + 16)] + data[-TRAILER_SIZE:]
    assert read_finished(io.BytesIO(cut), len(cut), key) is None
    longer = data[:-TRAILER_SIZE] + bytes(16) + data[-TRAILER_SIZE:]
    assert read_finished(io.BytesIO(longer), len(longer), key) is None


def test_header_that_was_read_before_is_not_read_again(world: World) -> None:
    data = seal(world, b"x" * 100)
    header = read_header(io.BytesIO(data), len(data))
    damaged = bytes(HEADER_SIZE) + data[HEADER_SIZE:]
    plan = plan_recovery(
        io.BytesIO(damaged),
        len(damaged),
        end_ns=END_NS,
        previous_trailer_sha256=ZERO_HASH,
        recorder_id=world.recorder_id,
        sign=world.recorder_private.sign,
        header_read=header,
    )
    assert (plan.header_bytes, plan.keep_size) == (data[:HEADER_SIZE], HEADER_SIZE)


def test_file_that_ends_before_its_stated_length_is_refused(world: World) -> None:
    data = seal(world, bytes(3 * CHUNK))[:-TRAILER_SIZE]
    with pytest.raises(RefusedError):
        written_length(io.BytesIO(data), len(data) + 1)
    with pytest.raises(RefusedError):
        plan_recovery(
            io.BytesIO(data[: HEADER_SIZE + CHUNK]),
            HEADER_SIZE + CHUNK + 16,
            end_ns=END_NS,
            previous_trailer_sha256=ZERO_HASH,
            recorder_id=world.recorder_id,
            sign=world.recorder_private.sign,
        )


def torn(length: int, *holes: tuple[int, int]) -> io.BytesIO:
    data = bytearray(random.Random(length).randbytes(length))
    data[:HEADER_SIZE] = bytes(HEADER_SIZE)  # zeros in the header are no hole
    for start, end in holes:
        data[start - 1] |= 1
        data[start:end] = bytes(end - start)
    return io.BytesIO(bytes(data))


@pytest.mark.parametrize("length", [HEADER_SIZE, PAGE, PAGE + 5, READ + HEADER_SIZE, 3 * READ + 17])
def test_whole_file_is_written_to_its_end(length: int) -> None:
    assert written_length(torn(length), length) == length


@pytest.mark.parametrize("start", [PAGE, 2 * PAGE, READ, READ + PAGE, 2 * READ])
def test_first_page_that_is_missing_ends_what_was_written(start: int) -> None:
    length = 3 * READ
    file = torn(length, (start, start + PAGE), (length - PAGE, length))
    assert written_length(file, length) == start


@pytest.mark.parametrize("offset", range(-11, 12, 2))
def test_hole_across_the_edge_of_a_read_is_found(offset: int) -> None:
    start, length = HEADER_SIZE + READ + offset, 2 * READ
    assert written_length(torn(length, (start, start + 12)), length) == start


@pytest.mark.parametrize("over", [1, 5, 11, 12, 100])
def test_hole_at_the_very_end_may_be_short(over: int) -> None:
    length = 3 * PAGE + over
    assert written_length(torn(length, (3 * PAGE, length)), length) == 3 * PAGE
