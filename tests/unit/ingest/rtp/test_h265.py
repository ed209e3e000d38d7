"""H.265 payloads (RFC 7798): single NAL units, aggregates, fragments, and what is refused."""

from __future__ import annotations

import pytest

from ingest.errors import StreamError
from ingest.rtp.assembly import Assembly
from ingest.rtp.counts import Counts
from ingest.rtp.h265 import H265Payload

SLICE = b"\x02\x01" + b"\x80" + b"\x55" * 20  # TRAIL_R, temporal id 1, the first of its picture
IDR = b"\x26\x01" + b"\x80" + b"\x55" * 20
SEI = b"\x4e\x01\x05\x01\x55\x80"


def taken(*payloads: bytes) -> tuple[Assembly, Counts, list[int]]:
    counts = Counts()
    assembly = Assembly("h265", counts)
    payload = H265Payload(assembly, counts)
    continues = [payload.take(memoryview(one), 0, len(one)) for one in payloads]
    return assembly, counts, continues


def units(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def fragments(nal: bytes, size: int) -> list[bytes]:
    pieces = [nal[at : at + size] for at in range(2, len(nal), size)]
    head, kind = bytes((49 << 1, nal[1])), nal[0] >> 1
    return [
        head + bytes(((n == 0) << 7 | (n == len(pieces) - 1) << 6 | kind,)) + piece for n, piece in enumerate(pieces)
    ]


def test_single_unit_is_taken_as_it_is() -> None:
    assembly, _, continues = taken(SLICE)
    assert assembly.take() == units(SLICE)
    assert continues == [-1]


def test_aggregate_gives_its_units_and_a_bare_header_is_ignored() -> None:
    sized = b"".join(len(nal).to_bytes(2, "big") + nal for nal in (SEI, b"\x02\x01", IDR))
    assembly, counts, _ = taken(bytes((48 << 1, 1)) + sized)
    assert assembly.take() == units(SEI, IDR)
    assert counts.malformed == 0


def test_aggregate_that_is_cut_off_keeps_what_was_whole() -> None:
    sized = len(SLICE).to_bytes(2, "big") + SLICE + b"\x00\x30\x02\x01"
    assembly, counts, _ = taken(bytes((48 << 1, 1)) + sized)
    assert assembly.take() == units(SLICE)
    assert counts.malformed == 1


@pytest.mark.parametrize("size", [1, 7, 21])
def test_fragments_become_the_unit_again_with_its_header(size: int) -> None:
    parts = fragments(IDR, size)
    assembly, counts, continues = taken(*parts)
    assert assembly.key
    assert assembly.take() == units(IDR)
    assert continues[-1] == -1
    assert all(continued == 49 << 17 | 1 << 8 | 19 for continued in continues[:-1])
    assert counts.malformed == 0


def test_fragment_without_its_beginning_tears_the_picture_and_names_the_unit() -> None:
    assembly, _, _ = taken(fragments(IDR, 7)[1])
    assert assembly.torn
    assert assembly.torn_head == IDR[:2]


def test_paci_packets_are_refused_and_short_packets_are_malformed() -> None:
    with pytest.raises(StreamError, match="PACI"):
        taken(bytes((50 << 1, 1, 0, 0)))
    assert taken(b"\x02\x01")[1].malformed == 1


def test_continuation_and_later_slices_are_told_from_the_first() -> None:
    payload = H265Payload(Assembly("h265", Counts()), Counts())
    first, second = fragments(IDR, 11)
    assert [payload.goes_on(memoryview(one), 0, len(one)) for one in (first, second, SLICE)] == [False, True, False]
    later = b"\x02\x01" + b"\x40" + b"\x55" * 9  # first_slice_segment_in_pic_flag is 0
    assert [payload.continues(memoryview(one), 0, len(one)) for one in (later, SLICE, first)] == [True, False, False]
