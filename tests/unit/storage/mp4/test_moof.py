"""Fragments as they are written and read back, to the fields' bounds."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.mp4 import Mp4Error, parse_moof
from storage.mp4.boxes import boxes
from storage.mp4.moof import NON_SYNC, TICKS_MAX, Run, write_moof

U32 = st.integers(0, (1 << 32) - 1)
I32 = st.integers(-(1 << 31), (1 << 31) - 1)


def pictures(*samples: tuple[int, int, int, int], decode_ticks: int = 0) -> Run:
    return Run(decode_ticks=decode_ticks, words=tuple(word for sample in samples for word in sample))


@given(
    st.lists(st.tuples(U32, U32, U32, I32), min_size=1, max_size=20),
    st.lists(st.tuples(U32, U32), min_size=1, max_size=20) | st.none(),
    st.integers(0, TICKS_MAX >> 8),
)
def test_samples_come_back_as_written(
    samples: list[tuple[int, int, int, int]], sound: list[tuple[int, int]] | None, decode_ticks: int
) -> None:
    run = pictures(*samples, decode_ticks=decode_ticks)
    heard = None
    if sound is not None:
        heard = Run(decode_ticks=decode_ticks + 5, words=tuple(word for each in sound for word in each), width=2)
    try:
        data = write_moof(run, heard, sequence=7)
        read = parse_moof(data)
    except Mp4Error:
        # Data offsets are signed 32 bits: pictures beyond 2 GiB leave the sound no place.
        assert sound is not None and sum(run.sizes) >= 1 << 30
        return
    assert (read.pictures, read.sound) == (run, heard)
    assert read.frames == len(samples)
    assert read.data_bytes == sum(run.sizes) + (sum(heard.sizes) if heard else 0)


def test_times_follow_from_durations_and_offsets() -> None:
    run = pictures((3600, 10, 0, 7200), (3600, 10, NON_SYNC, 0), (1800, 10, NON_SYNC, 3600), decode_ticks=90_000)
    assert run.decode_times == [90_000, 93_600, 97_200, 99_000]
    assert run.shown_times == [97_200, 93_600, 100_800]
    read = parse_moof(write_moof(run))
    assert (read.key, read.duration_ticks, read.decode_ticks) == (True, 9000, 90_000)
    assert not parse_moof(write_moof(pictures((1, 1, NON_SYNC, 0)))).key


@pytest.mark.parametrize("sample", [(1 << 32, 1, 0, 0), (-1, 1, 0, 0), (1, 1 << 32, 0, 0), (1, 1, 0, 1 << 31)])
def test_number_that_does_not_fit_its_field_is_an_error(sample: tuple[int, int, int, int]) -> None:
    with pytest.raises(Mp4Error):
        write_moof(pictures(sample))


def test_boxes_are_nested_as_the_standard_says_and_data_follows_at_once() -> None:
    """ISO/IEC 14496-12, 8.8: moof { mfhd, traf { tfhd, tfdt, trun } }."""
    data = write_moof(pictures((3600, 10, 0, 0)), sequence=9)
    (moof,) = boxes(data)
    assert (moof.kind, moof.end) == (b"moof", len(data))
    head, track = boxes(data, moof.body, moof.end)
    assert (head.kind, struct.unpack_from(">I", data, head.body + 4)[0]) == (b"mfhd", 9)
    assert [each.kind for each in boxes(data, track.body, track.end)] == [b"tfhd", b"tfdt", b"trun"]
    offset_at = data.index(b"trun") + 12
    assert struct.unpack_from(">i", data, offset_at)[0] == len(data) + 8
