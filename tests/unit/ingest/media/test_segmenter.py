"""Segments begin and end where they must, tile the time, and never mix parameter sets."""

from __future__ import annotations

from domain.footage import GapCause
from domain.time import NS
from ingest.media.clock import ticks_to_ns
from ingest.media.segmenter import Action, Append, Begin, Finish, Missing, Segmenter
from tests.support.cameras.video import decoded_times, encoded, units
from tests.support.footage.segments import START_NS, files_of, fragments_of, segmented


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
