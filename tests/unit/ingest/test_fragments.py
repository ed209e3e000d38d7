"""Fragments and segments against libav: every picture comes back, at its own time."""

from __future__ import annotations

import pytest

from domain.footage import GapCause
from domain.time import HOUR_NS, NS
from ingest.access_unit import AccessUnit
from ingest.media.clock import ticks_to_ns
from ingest.media.fragments import Fragment, FragmentWriter
from ingest.media.segmenter import Action, Append, Begin, Finish, Missing, Segmenter
from tests.support.video import decoded_times, encoded, units

START_NS = 1_790_000_000 * NS - (1_790_000_000 * NS) % HOUR_NS + 60 * NS


def fragments_of(stream: list[AccessUnit]) -> list[Fragment]:
    writer = FragmentWriter()
    made = [fragment for unit in stream if (fragment := writer.push(unit))]
    last = writer.flush()
    return [*made, last] if last else made


def segmented(fragments: list[Fragment], segmenter: Segmenter, start_ns: int = START_NS) -> list[Action]:
    first = fragments[0].start_ticks
    actions: list[Action] = []
    for item in fragments:
        begin, end = (start_ns + ticks_to_ns(ticks - first) for ticks in (item.start_ticks, item.end_ticks))
        actions += segmenter.push(item, begin, end)
    return actions


def files_of(actions: list[Action]) -> list[bytes]:
    files: list[list[bytes]] = []
    for action in actions:
        if isinstance(action, Begin):
            files.append([action.init])
        elif isinstance(action, Append):
            files[-1].append(b"".join(action.pieces))
    return [b"".join(parts) for parts in files]


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


def test_segmenter_cuts_at_key_frames_and_tiles_exactly() -> None:
    actions = segmented(fragments_of(units(encoded(8, gop=25))), Segmenter(2, 30))
    begins = [item.start_ns for item in actions if isinstance(item, Begin)]
    ends = [item.end_ns for item in actions if isinstance(item, Finish)]
    assert len(begins) == 4
    assert begins[1:] == ends
    assert all(len(decoded_times(mp4)) == 50 for mp4 in files_of(actions))


def test_segmenter_without_key_frames_is_forced_at_the_maximum() -> None:
    actions = segmented(fragments_of(units(encoded(6, gop=500))), Segmenter(1, 2))
    finishes = [item for item in actions if isinstance(item, Finish)]
    begins = [item.start_ns for item in actions if isinstance(item, Begin)]
    assert len(finishes) >= 2
    assert all(item.forced for item in finishes)
    assert all(end.end_ns - begin <= 2 * NS for begin, end in zip(begins, finishes, strict=False))


def test_segmenter_cuts_at_the_hour() -> None:
    actions = segmented(fragments_of(units(encoded(6, gop=25))), Segmenter(10, 30), START_NS - 62 * NS)
    begins = [item.start_ns for item in actions if isinstance(item, Begin)]
    assert begins == [START_NS - 62 * NS, START_NS - 60 * NS]


def test_segmenter_cuts_where_parameter_sets_change_and_never_mixes() -> None:
    small, large = units(encoded(2)), units(encoded(2, size=(640, 384)))
    for unit in large:
        unit.pts_ticks += 2 * 90_000
    actions = segmented(fragments_of([*small, *large]), Segmenter(10, 30))
    codecs = [item.codec for item in actions if isinstance(item, Begin)]
    assert [(codec.width, codec.height) for codec in codecs] == [(320, 192), (640, 384)]
    assert [len(decoded_times(mp4)) for mp4 in files_of(actions)] == [50, 50]


def test_segmenter_after_loss_says_what_is_missing_and_waits_for_a_key_frame() -> None:
    made = fragments_of(units(encoded(6, gop=25)))
    segmenter = Segmenter(10, 30)
    first = segmented(made[:4], segmenter)
    ended = segmenter.missed(GapCause.LOSS, "")
    later = made[5:]
    base = made[0].start_ticks
    actions: list[Action] = []
    for item in later:
        begin, end = (START_NS + ticks_to_ns(ticks - base) for ticks in (item.start_ticks, item.end_ticks))
        actions += segmenter.push(item, begin, end)
    assert isinstance(ended[0], Finish)
    gap = next(item for item in actions if isinstance(item, Missing))
    assert gap.cause is GapCause.LOSS
    assert gap.until_ns == next(item.start_ns for item in actions if isinstance(item, Begin))
    assert isinstance(first[1], Begin)
    assert next(item for item in actions if isinstance(item, Append)).key
