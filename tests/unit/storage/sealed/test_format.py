"""Bytes of the format: every constant is checked, every length at n - 1, n and n + 1."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import pytest

from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from storage.sealed import HEADER_SIZE, OVERHEAD, TRAILER_SIZE, RefusedError
from storage.sealed.format import (
    CHUNKS_MAX,
    Core,
    Trailer,
    derive_into,
    layout_of,
    nonce,
    pack_header,
    parse_header,
    parse_trailer,
    trailer_message,
    wrap_info,
)

CHUNK, SEALED = 1 << 14, (1 << 14) + 16
CORE = Core(
    chunk_log2=14,
    site_id=SiteId(UUID(int=1)),
    camera_id=CameraId(UUID(int=2)),
    segment_id=SegmentId(UUID(int=3)),
    hour_key_id=HourKeyId(UUID(int=4)),
    start_ns=-5,
    salt=bytes(range(16)),
)
TRAILER = Trailer(
    state=1,
    recorder_id=RecorderId(UUID(int=6)),
    end_ns=7,
    plain_len=8,
    sealed_sha256=bytes([9]) * 32,
    previous_sha256=bytes([10]) * 32,
    signature=bytes([11]) * 64,
)
HEADER = pack_header(CORE.pack(), bytes([12]) * 32, bytes([13]) * 80)
PACKED_TRAILER = TRAILER.signed_part() + TRAILER.signature


def test_header_is_laid_out_as_the_page_says() -> None:
    assert len(HEADER) == HEADER_SIZE == 210
    assert HEADER[:8] == b"TLNS\x01\x01\x0e\x00"
    assert [HEADER[at] for at in (23, 39, 55, 71)] == [1, 2, 3, 4]
    assert HEADER[72:80] == (-5).to_bytes(8, "big", signed=True)
    assert HEADER[80:96] == bytes(range(16))
    assert HEADER[96:130] == bytes([12]) * 32 + b"\x00\x50"
    assert HEADER[130:] == bytes([13]) * 80


def test_header_that_was_packed_parses_to_the_same() -> None:
    header = parse_header(memoryview(HEADER))
    assert header.core == CORE
    assert header.core_sha256 == hashlib.sha256(HEADER[:96]).digest()
    assert (header.commitment, header.wrap) == (bytes([12]) * 32, bytes([13]) * 80)


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5, 6, 7, 128, 129])
def test_header_with_another_constant_is_refused(at: int) -> None:
    for value in {0, 1, 13, 19, 255} - {HEADER[at]}:
        with pytest.raises(RefusedError):
            parse_header(HEADER[:at] + bytes([value]) + HEADER[at + 1 :])


@pytest.mark.parametrize("chunk_log2", range(14, 19))
def test_header_with_each_chunk_size_of_the_format_parses(chunk_log2: int) -> None:
    assert parse_header(HEADER[:6] + bytes([chunk_log2]) + HEADER[7:]).core.chunk_log2 == chunk_log2


@pytest.mark.parametrize("length", [0, 209, 211])
def test_header_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(RefusedError):
        parse_header((HEADER + b"\0")[:length])


def test_trailer_is_laid_out_as_the_page_says_and_parses_to_the_same() -> None:
    assert len(PACKED_TRAILER) == TRAILER_SIZE == 168
    assert PACKED_TRAILER[:8] == b"TLNE\x01\x00\x00\x00"
    assert PACKED_TRAILER[23] == 6
    assert PACKED_TRAILER[24:40] == (7).to_bytes(8, "big") + (8).to_bytes(8, "big")
    assert PACKED_TRAILER[40:104] == TRAILER.sealed_sha256 + TRAILER.previous_sha256
    assert parse_trailer(memoryview(PACKED_TRAILER)) == TRAILER


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5, 6, 7])
def test_trailer_with_another_constant_is_refused(at: int) -> None:
    with pytest.raises(RefusedError):
        parse_trailer(PACKED_TRAILER[:at] + b"\x02" + PACKED_TRAILER[at + 1 :])


@pytest.mark.parametrize("length", [0, 167, 169])
def test_trailer_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(RefusedError):
        parse_trailer((PACKED_TRAILER + b"\0")[:length])


def test_signed_message_and_wrap_info_name_their_purpose_and_the_core() -> None:
    core_sha256 = bytes([20]) * 32
    assert trailer_message(core_sha256, b"part") == b"tallenne/1 trailer" + core_sha256 + b"part"
    assert wrap_info(CORE.hour_key_id, core_sha256) == b"tallenne/1 wrap" + UUID(int=4).bytes + core_sha256


def test_derivation_is_hkdf_sha256_by_its_definition() -> None:
    """RFC 5869 with HMAC alone: extract with the salt, one block of expand."""
    data_key, salt, core_sha256 = bytes([1]) * 32, bytes([2]) * 16, bytes([3]) * 32
    for label in (b"payload", b"commit"):
        out = bytearray(32)
        derive_into(data_key, salt, label, core_sha256, out)
        extracted = hmac.digest(salt, data_key, "sha256")
        assert out == hmac.digest(extracted, b"tallenne/1 " + label + core_sha256 + b"\x01", "sha256")


def test_nonces_of_a_segment_never_repeat() -> None:
    assert nonce(0, False) == bytes(12)
    assert nonce(258, True) == bytes(9) + b"\x01\x02\x01"
    chunks = (0, 1, 255, 256, CHUNKS_MAX - 1)
    assert len({nonce(index, last) for index in chunks for last in (False, True)}) == 2 * len(chunks)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (0, (0, 0, 0)),
        (16, (0, 16, 0)),
        (17, (0, 17, 1)),
        (SEALED - 1, (0, SEALED - 1, CHUNK - 1)),
        (SEALED, (1, 0, CHUNK)),
        (SEALED + 16, (1, 16, CHUNK)),
        (3 * SEALED + 20, (3, 20, 3 * CHUNK + 4)),
        (CHUNKS_MAX * SEALED, (CHUNKS_MAX, 0, CHUNKS_MAX * CHUNK)),
        ((CHUNKS_MAX - 1) * SEALED + 16, (CHUNKS_MAX - 1, 16, (CHUNKS_MAX - 1) * CHUNK)),
    ],
)
def test_layout_follows_from_the_size(body: int, expected: tuple[int, int, int]) -> None:
    layout = layout_of(OVERHEAD + body, 14)
    assert (layout.full_chunks, layout.last_size, layout.plain_len) == expected
    assert layout.trailer_at == HEADER_SIZE + body
    assert layout.tail_range == (HEADER_SIZE + body - layout.last_size, OVERHEAD + body)


@pytest.mark.parametrize("body", [-OVERHEAD, -1, 1, 15, SEALED + 1, SEALED + 15, CHUNKS_MAX * SEALED + 16])
def test_size_that_no_object_has_is_refused(body: int) -> None:
    with pytest.raises(RefusedError):
        layout_of(OVERHEAD + body, 14)


def test_range_is_clamped_to_the_plaintext() -> None:
    layout = layout_of(OVERHEAD + SEALED + 20, 14)
    assert layout.clamp(0, 1 << 60) == (0, CHUNK + 4)
    assert layout.clamp(CHUNK + 3, CHUNK + 5) == (CHUNK + 3, CHUNK + 4)
    assert layout.clamp(CHUNK + 4, CHUNK + 5) == layout.clamp(9, 9) == layout.clamp(9, 3) == (0, 0)
    with pytest.raises(ValueError, match="-1"):
        layout.clamp(-1, 5)


def test_sealed_range_covers_the_chunks_that_hold_the_plaintext() -> None:
    layout = layout_of(OVERHEAD + 2 * SEALED + 20, 14)
    assert layout.sealed_range(0, 1) == (HEADER_SIZE, HEADER_SIZE + SEALED)
    assert layout.sealed_range(CHUNK - 1, CHUNK) == (HEADER_SIZE, HEADER_SIZE + SEALED)
    assert layout.sealed_range(CHUNK - 1, CHUNK + 1) == (HEADER_SIZE, HEADER_SIZE + 2 * SEALED)
    assert layout.sealed_range(CHUNK, 2 * CHUNK) == (HEADER_SIZE + SEALED, HEADER_SIZE + 2 * SEALED)


def test_sealed_range_has_the_last_chunk_only_where_it_is_asked_for() -> None:
    layout = layout_of(OVERHEAD + 2 * SEALED + 20, 14)
    assert layout.sealed_range(2 * CHUNK, 2 * CHUNK + 4) == (HEADER_SIZE, HEADER_SIZE)
    assert layout.sealed_range(2 * CHUNK, 2 * CHUNK + 4, last=True) == (HEADER_SIZE + 2 * SEALED, layout.trailer_at)
    assert layout.sealed_range(0, 1 << 60) == (HEADER_SIZE, HEADER_SIZE + 2 * SEALED)
    assert layout.sealed_range(0, 1 << 60, last=True) == (HEADER_SIZE, layout.trailer_at)
    assert layout.sealed_range(0, 2 * CHUNK, last=True) == (HEADER_SIZE, HEADER_SIZE + 2 * SEALED)
    assert not layout.in_last(2 * CHUNK)
    assert layout.in_last(2 * CHUNK + 1)
