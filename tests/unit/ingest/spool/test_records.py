"""Records: whatever is torn or damaged ends the file there, and nothing behind it counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.spool.records import RECORD_MAX, packed, unpacked, whole_records

PAYLOADS = [b"a", b"bb" * 100, bytes(300), bytes(RECORD_MAX)]


DATA = b"".join(map(packed, PAYLOADS))


def test_records_come_back_with_the_offset_after_each() -> None:
    found = list(unpacked(DATA))
    assert [payload for payload, _ in found] == PAYLOADS
    assert [at for _, at in found] == [sum(8 + len(item) for item in PAYLOADS[: n + 1]) for n in range(4)]
    assert whole_records(DATA) == (PAYLOADS, len(DATA))
    assert whole_records(b"") == ([], 0)


@pytest.mark.parametrize("cut", [1, 7, 8, 9, 10, 15, 17, 100, 216, 217, 218])
def test_file_cut_anywhere_keeps_its_whole_records(cut: int) -> None:
    payloads, end = whole_records(DATA[:cut])
    assert payloads == [
        item for n, item in enumerate(PAYLOADS) if sum(8 + len(one) for one in PAYLOADS[: n + 1]) <= cut
    ]
    assert end <= cut


@pytest.mark.parametrize("at", [0, 3, 4, 7, 8])
def test_damaged_record_ends_the_file(at: int) -> None:
    damaged = bytearray(packed(b"first") + packed(b"second"))
    damaged[at] ^= 1
    assert whole_records(bytes(damaged)) == ([], 0)


def test_zeros_and_lengths_beyond_the_limit_are_no_records() -> None:
    assert whole_records(packed(b"first") + bytes(100)) == ([b"first"], 13)
    assert whole_records(packed(bytes(RECORD_MAX + 1))) == ([], 0)


# -- Records


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.integers(0, 400))
def test_records_are_found_up_to_where_they_are_whole(payloads: list[bytes], cut: int) -> None:
    data = b"".join(map(packed, payloads))
    ends = [sum(len(packed(item)) for item in payloads[: n + 1]) for n in range(len(payloads))]
    whole = [item for item, end in zip(payloads, ends, strict=True) if end <= cut]
    assert [payload for payload, _ in unpacked(data[:cut])] == whole
    found, at = whole_records(data[:cut])
    assert (found, at) == (whole, sum(len(packed(item)) for item in whole))


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5), st.data())
def test_records_end_at_the_first_that_is_damaged(payloads: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(packed, payloads)))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    found, _ = whole_records(bytes(whole))
    assert len(found) < len(payloads)
    assert found == payloads[: len(found)]


def test_records_of_zeros_are_none() -> None:
    """What a preallocated file is filled with after a power cut."""
    assert whole_records(bytes(4096)) == ([], 0)
