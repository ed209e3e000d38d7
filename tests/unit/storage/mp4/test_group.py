"""Fragments joined to a group of pictures: every sample as it was, at its time, in exactly the bytes that were said."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.mp4 import (
    GroupPart,
    GroupPlace,
    Mp4Error,
    boxes,
    find,
    join_fragments,
    parse_moof,
)
from tests.support.footage.fragments import Piece, piece

HALF_S = 45_000


def fragments(count: int, *, size: int = 3000) -> list[Piece]:
    return [piece(random.Random(n), 0, n * 500_000_000, key=n == 0, size=size) for n in range(count)]


def place_of(made: list[Piece], **changes: object) -> GroupPlace:
    place = GroupPlace(
        sequence=42,
        description_index=2,
        start_ticks=90_000,
        end_ticks=90_000 + len(made) * HALF_S,
        delay_ticks=0,
        parameter_sets=b"",
        size_bytes=sum(len(item.data) for item in made),
    )
    return replace(place, **changes)  # type: ignore[arg-type]


def joined(made: list[Piece], place: GroupPlace, shift_ticks: int = 90_000) -> bytes:
    fragments = [memoryview(item.data) for item in made]
    return join_fragments([GroupPart(fragments=fragments, shift_ticks=shift_ticks, delay_ticks=0)], place)


def payload(data: bytes) -> bytes:
    mdat = find(data, b"mdat")
    return data[mdat.body : mdat.end]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(-89, 89), st.integers(0, 9000), st.binary(max_size=60))
def test_group_has_all_samples_at_their_times(count: int, rounding: int, delay: int, sets: bytes) -> None:
    made = fragments(count)
    place = place_of(made, delay_ticks=delay, parameter_sets=sets)
    place = replace(place, size_bytes=place.size_bytes + len(sets))
    data = joined(made, place, 90_000 + rounding)
    assert len(data) == place.size_bytes
    assert [item.kind for item in boxes(data)] == [b"moof", b"mdat"]
    footage = sets + b"".join(payload(item.data) for item in made)
    assert payload(data) == footage + bytes(len(payload(data)) - len(footage))
    moof = parse_moof(data[: find(data, b"moof").end])
    assert moof.key
    assert moof.decode_ticks == 90_000
    assert moof.pictures.decode_times[-1] == place.end_ticks
    assert len(moof.pictures.sizes) == 3 * count
    shown = [at + cto - delay for at, cto in zip(moof.pictures.decode_times, moof.pictures.offsets, strict=False)]
    assert shown[0] == 90_000
    assert shown[1:] == [90_000 + rounding + number * 15_000 for number in range(1, 3 * count)]
    assert all(each >= 1 for each in moof.pictures.durations)
    mfhd, tfhd = find(data, b"moof", b"mfhd"), find(data, b"moof", b"traf", b"tfhd")
    assert int.from_bytes(data[mfhd.body + 4 : mfhd.end], "big") == 42
    assert int.from_bytes(data[tfhd.body + 8 : tfhd.body + 12], "big") == 2


def test_fragments_that_overlap_by_a_rounding_keep_their_order() -> None:
    first, second = fragments(2)
    early = bytearray(second.data)
    at = early.index(b"tfdt") + 8
    early[at : at + 8] = (30_000).to_bytes(8, "big")  # at the last picture of the first one
    made = [first, replace(second, data=bytes(early))]
    moof = parse_moof((data := joined(made, place_of(made)))[: find(data, b"moof").end])
    times = moof.pictures.decode_times
    assert times == sorted(set(times))
    shown = [at + offset for at, offset in zip(times, moof.pictures.offsets, strict=False)]
    assert shown[3] == 90_000 + 30_000  # shown when it was, though decoded a tick later
    assert len(shown) == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"start_ticks": 90_000 + 200},
        {"start_ticks": 0},
        {"size_bytes": 3 * 2000},
        {"start_ticks": -90_000 * 60},
    ],
)
def test_group_that_is_not_as_its_index_says_is_refused(changes: dict[str, object]) -> None:
    made = fragments(3)
    assert joined(made, place_of(made))  # positive control
    with pytest.raises(Mp4Error):
        joined(made, place_of(made, **changes))


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -1), slice(0, 50), slice(0, 0)])
def test_fragment_that_is_cut_is_refused(cut: slice) -> None:
    made = fragments(2)
    broken = [made[0], replace(made[1], data=made[1].data[cut])]
    with pytest.raises(Mp4Error):
        joined(broken, place_of(made))
