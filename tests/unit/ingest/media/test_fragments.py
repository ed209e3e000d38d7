"""Fragments and segments against libav: every picture comes back, at its own time."""

from __future__ import annotations

import io
import itertools

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.footage import GapCause
from domain.time import NS
from ingest.access_unit import AccessUnit
from ingest.media.clock import ticks_to_ns
from ingest.media.fragments import Fragment
from ingest.media.segmenter import Action, Begin, Missing, Segmenter
from tests.support.cameras.video import decoded_times, encoded, units
from tests.support.footage.segments import START_NS, files_of, fragments_of, segmented


@pytest.mark.parametrize(("codec", "name"), [("libx264", "h264"), ("libx265", "hevc")])
@pytest.mark.parametrize("b_frames", [0, 3])
def test_fragments_of_a_stream_give_every_picture_at_its_time(codec: str, name: str, b_frames: int) -> None:
    stream = units(encoded(3, gop=50, b_frames=b_frames, codec=codec), name)
    actions = segmented(fragments_of(stream), Segmenter(10, 30))
    (mp4,) = files_of(actions)
    first = min(unit.pts_ticks for unit in stream)
    expected = sorted((unit.pts_ticks - first) / 90_000 for unit in stream)
    assert decoded_times(mp4) == pytest.approx(expected, abs=1e-3)


def test_fragments_last_half_a_second_and_start_at_key_frames() -> None:
    made = fragments_of(units(encoded(4, gop=30)))
    assert all(0 < item.end_ticks - item.start_ticks <= 54_000 for item in made)
    assert sum(item.key for item in made) == 4
    assert [item.end_ticks for item in made[:-1]] == [item.start_ticks for item in made[1:]]


def test_damaged_pictures_carry_their_mark_in_the_file() -> None:
    """sample_degradation_priority, the low half of a sample's flags; players read the other half."""
    stream = units(encoded(1, gop=25))
    for unit in stream[5:9]:
        unit.damaged = True
    made = fragments_of(stream)
    flags = [word for item in made for word in item.run.flags]
    assert [number for number, word in enumerate(flags) if word & 0xFFFF] == [5, 6, 7, 8]
    assert [word & 0xFFFF0000 for word in flags] == [0x02000000 if unit.key else 0x01010000 for unit in stream]


def at_times(times: list[int], *, gop: int, b_frames: int, codec: str = "libx264") -> list[AccessUnit]:
    """Pictures shown at these ticks, in the order in which an encoder sends them."""
    coded = encoded(len(times) / 25, gop=gop, b_frames=b_frames, codec=codec)
    return units(
        [(data, times[pts * 25 // 90_000], key) for data, pts, key in coded], {"libx264": "h264"}.get(codec, "hevc")
    )


def decode_times(mp4: bytes) -> list[int]:
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        return [packet.dts for packet in container.demux(video=0) if packet.dts is not None]


def checked(stream: list[AccessUnit], segment_s: float = 1000) -> list[Fragment]:
    """Every picture at its time, decoded in order, nothing said to be missing."""
    made = fragments_of(stream)
    assert [item.end_ticks for item in made[:-1]] == [item.start_ticks for item in made[1:]]
    actions = segmented(made, Segmenter(segment_s, 2000))
    assert not [item for item in actions if isinstance(item, Missing) and item.cause is not GapCause.STARTING]
    first = min(unit.pts_ticks for unit in stream)
    expected = sorted((unit.pts_ticks - first) / 90_000 for unit in stream)
    begins = [(item.start_ns - START_NS) / NS for item in actions if isinstance(item, Begin)]
    files = files_of(actions)
    shown = [begin + time for begin, mp4 in zip(begins, files, strict=True) for time in decoded_times(mp4)]
    assert shown == pytest.approx(expected, abs=2e-3)
    for mp4 in files:
        dts = decode_times(mp4)
        assert all(before < after for before, after in itertools.pairwise(dts))
    return made


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("b_frames", [1, 2, 3])
@pytest.mark.parametrize("fps", [2, 5, 8, 10, 12, 25])
def test_b_frames_at_any_rate_are_shown_when_they_should_be(codec: str, b_frames: int, fps: int) -> None:
    checked(at_times([n * 90_000 // fps for n in range(60)], gop=20, b_frames=b_frames, codec=codec))


@pytest.mark.parametrize("b_frames", [0, 2, 3])
def test_pause_between_two_pictures_loses_neither(b_frames: int) -> None:
    """A camera that skips pictures where nothing moves."""
    for place in range(60, 72):
        times = [n * 3600 + (n >= place) * 63_000 for n in range(120)]
        checked(at_times(times, gop=50, b_frames=b_frames))


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.sampled_from((1800, 3000, 3600, 3601, 7200, 18_000, 90_000)), min_size=30, max_size=60),
    gop=st.sampled_from((7, 25, 100)),
    b_frames=st.integers(0, 4),
)
def test_any_times_are_kept(steps: list[int], gop: int, b_frames: int) -> None:
    checked(at_times([0, *itertools.accumulate(steps)][:-1], gop=gop, b_frames=b_frames), 2.0)


def test_stream_that_sends_b_frames_late_is_decoded_in_order() -> None:
    """The first that come out of order were not foreseen: their fragment is moved, and right again afterwards."""
    plain = at_times([n * 9000 for n in range(80)], gop=80, b_frames=0)
    later = at_times([n * 9000 for n in range(80, 160)], gop=80, b_frames=3)
    actions = segmented(fragments_of([*plain, *later]), Segmenter(1000, 2000))
    assert not [item for item in actions if isinstance(item, Missing) and item.cause is not GapCause.STARTING]
    files = files_of(actions)
    assert sum(len(decoded_times(mp4)) for mp4 in files) == 160
    for mp4 in files:
        assert all(before < after for before, after in itertools.pairwise(decode_times(mp4)))


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("late_s", [0.05, 0.2, 0.24])
def test_fragment_that_overlaps_what_is_recorded_is_squeezed(b_frames: int, late_s: float) -> None:
    made = fragments_of(at_times([n * 3600 for n in range(100)], gop=50, b_frames=b_frames))
    segmenter = Segmenter(1000, 2000)
    actions: list[Action] = []
    for number, item in enumerate(made):
        back_ns = round(late_s * NS) if number >= len(made) // 2 else 0
        begin, end = (START_NS + ticks_to_ns(ticks) - back_ns for ticks in (item.start_ticks, item.end_ticks))
        actions += segmenter.push(item, begin, end)
    (mp4,) = files_of(actions)
    shown, dts = decoded_times(mp4), decode_times(mp4)
    assert len(shown) == len(set(shown)) == 100
    assert all(before < after for before, after in itertools.pairwise(dts))
    assert shown[-1] == pytest.approx(99 / 25 - late_s, abs=2e-3)
