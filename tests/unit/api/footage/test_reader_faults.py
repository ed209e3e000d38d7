"""Clips over footage that is damaged, forged, or incompletely indexed."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest

from api.footage import (
    ClipTooLongError,
    Inits,
    NoFootageError,
    assembly,
    begins_with_key,
    plan_clip,
    reached_back,
)
from api.footage.walk import index_by_reading
from domain.footage import FragmentIndex
from domain.ids import CameraId
from domain.time import HOUR_NS, NS, Span
from ingest.media.segmenter import Begin
from storage.mp4 import Mp4Error, boxes, find
from storage.sealed import HEADER_SIZE, RefusedError, SegmentReader, plan_recovery
from storage.sealed.format import TAG_SIZE
from tests.support.cameras.video import decoded_times, encoded, units
from tests.support.footage.sealed import START_NS, finish, new_sealer
from tests.support.footage.shelf import Shelf, read, whole_span


@pytest.fixture
def heavy() -> Shelf:
    """One segment of many chunks."""
    made = Shelf()
    made.film(units(encoded(8, gop=25, size=(960, 576))), segment_s=20.0)
    (segment,) = made.segments
    assert segment.size_bytes > 5 << 14
    return made


async def test_row_that_lies_about_an_init_is_found_out() -> None:
    """The hash is only the row's word: what is read is held to it, and what is not is compared when it is reached."""
    shelf = Shelf()
    end_ns = shelf.film(units(encoded(2, gop=25)))
    shelf.film(units(encoded(2, gop=25, size=(640, 384))), end_ns, codec_size=(640, 384))
    first, second = shelf.segments
    lie = hashlib.sha256(shelf.init(first)).digest()
    shelf.segments = [replace(first, init_sha256=lie), replace(second, init_sha256=lie)]
    clip = await shelf.clip(whole_span(shelf))
    with pytest.raises(RefusedError):
        await read(clip)
    shelf.segments = [replace(first, init_sha256=bytes(32)), second]
    with pytest.raises(BaseExceptionGroup) as caught:
        await shelf.clip(whole_span(shelf))
    assert caught.group_contains(RefusedError)


@pytest.mark.parametrize("hashed", [False, True])
async def test_bytes_fetched_early_make_the_same_clip_with_fewer_questions(heavy: Shelf, hashed: bool) -> None:
    if hashed:
        heavy.hash_inits()
    inits = Inits()
    span = Span(START_NS + 3 * NS, START_NS + 7 * NS)
    expected = await read(await heavy.clip(span, inits))
    heavy.reads.clear()
    assert await read(await heavy.clip(span, inits)) == expected
    late = sum(heavy.reads)
    heavy.reads.clear()
    clip = await heavy.clip(span, inits, early=True)
    assert await read(clip) == expected
    assert sum(heavy.reads) <= late
    middle = len(expected) // 2
    assert await read(clip, middle, middle + 5000) == expected[middle : middle + 5000]


@pytest.mark.parametrize("early", [False, True])
async def test_trailers_in_the_catalogue_make_the_same_clip_and_spare_a_question_a_segment(
    shelf: Shelf, early: bool
) -> None:
    shelf.hash_inits()
    inits = Inits()
    span = whole_span(shelf)
    expected = await read(await shelf.clip(span, inits, early=early))
    shelf.gets = 0
    assert await read(await shelf.clip(span, inits, early=early)) == expected
    assert shelf.gets == 2 * len(shelf.segments)  # a tail and the rest of each
    shelf.know_trailers()
    shelf.gets = 0
    assert await read(await shelf.clip(span, inits, early=early)) == expected
    assert shelf.gets == len(shelf.segments)
    short = Span(span.start_ns, span.start_ns + NS)
    shelf.gets = 0
    clip = await shelf.clip(short, inits, early=early)
    part = await read(clip)
    assert shelf.gets == 1
    mdat = find(part, b"mdat").body
    assert part[mdat : mdat + 2000] in expected


async def test_row_with_a_trailer_that_is_not_its_objects_is_refused(shelf: Shelf) -> None:
    shelf.know_trailers()
    shelf.hash_inits()
    inits = Inits()
    await shelf.clip(whole_span(shelf), inits)
    first, second, *rest = shelf.segments
    shelf.segments = [replace(first, trailer=second.trailer), second, *rest]
    with pytest.raises(BaseExceptionGroup) as caught:
        await shelf.clip(whole_span(shelf))
    assert caught.group_contains(RefusedError)
    shelf.segments = [first, replace(second, trailer=first.trailer), *rest]
    clip = await shelf.clip(whole_span(shelf), inits)
    with pytest.raises(RefusedError):
        await read(clip)


async def test_clip_without_an_index_in_the_catalogue_is_the_same(shelf: Shelf) -> None:
    span = Span(START_NS + NS, START_NS + 9 * NS)
    expected = await read(await shelf.clip(span))
    shelf.segments = [replace(item, fragments=None) for item in shelf.segments]
    assert await read(await shelf.clip(span)) == expected


async def test_recovered_segment_without_an_index_is_read_up_to_its_last_whole_fragment(heavy: Shelf) -> None:
    shelf, segment = heavy, heavy.segments[0]
    index = segment.fragments
    assert index is not None
    whole = shelf.objects[shelf.name(segment)]
    plain_len = 0
    for chunks in range(1, (len(whole) - HEADER_SIZE) // ((1 << 14) + TAG_SIZE) + 1):
        length = HEADER_SIZE + chunks * ((1 << 14) + TAG_SIZE)
        torn = plan_recovery(
            io.BytesIO(whole),
            length,
            end_ns=segment.span.end_ns,
            previous_trailer_sha256=bytes(32),
            recorder_id=shelf.world.recorder_id,
            sign=shelf.world.recorder_private.sign,
        )
        data = whole[: torn.keep_size] + torn.trailer
        plain_len = chunks << 14
        held = sum(offset + size <= plain_len for offset, size in zip(index.offset, index.size, strict=True))

        async def fetch(start: int, end: int, data: bytes = data) -> bytes:
            return data[start:end]

        found = await index_by_reading(SegmentReader(shelf.keys[segment.segment_id], len(data), fetch), segment)
        assert found == FragmentIndex(
            start_ms=index.start_ms[:held], offset=index.offset[:held], size=index.size[:held], key=index.key[:held]
        )
    assert plain_len > 4 << 14


async def test_segments_whose_key_is_gone_are_left_out(shelf: Shelf) -> None:
    gone = shelf.segments[1]
    del shelf.keys[gone.segment_id]
    clip = await shelf.clip(whole_span(shelf))
    times = [clip.span.start_ns + round(time * NS) for time in decoded_times(await read(clip))]
    assert not any(gone.span.contains(at + 1_000_000) for at in times)
    assert len(times) == len(shelf.pictures) - gone.frames
    assert gone.span not in clip.footage
    shelf.keys.clear()
    with pytest.raises(NoFootageError):
        await shelf.clip(whole_span(shelf))


async def test_tampered_segment_is_refused_before_any_byte_of_it(shelf: Shelf) -> None:
    for segment, at in ((shelf.segments[2], -100), (shelf.segments[3], -1)):
        name = shelf.name(segment)
        data = bytearray(shelf.objects[name])
        data[at] ^= 1
        shelf.objects[name] = bytes(data)
        with pytest.raises(BaseExceptionGroup) as caught:
            await shelf.clip(segment.span)
        assert caught.group_contains(RefusedError)


async def test_chunk_that_was_changed_is_refused_and_what_came_before_it_was_genuine(heavy: Shelf) -> None:
    (segment,) = heavy.segments
    whole = await read(await heavy.clip(segment.span))
    data = bytearray(heavy.objects[heavy.name(segment)])
    data[HEADER_SIZE + 4 * ((1 << 14) + TAG_SIZE) + 99] ^= 1
    heavy.objects[heavy.name(segment)] = bytes(data)
    clip = await heavy.clip(segment.span)
    got = bytearray()
    with pytest.raises(RefusedError):
        async for piece in clip.stream():
            got += piece
    assert whole.startswith(bytes(got))
    assert len(got) < len(whole)


async def test_segment_that_opens_but_holds_rubbish_is_told_as_such(shelf: Shelf) -> None:
    """Sealed and signed by the recorder, and yet not boxes: nothing breaks but this."""
    sealer = new_sealer(shelf.world, start_ns=START_NS + 60 * NS)
    data = b"".join(
        (sealer.header, *sealer.push(b"\x00" * 40_000), finish(shelf.world, sealer, end_ns=START_NS + 70 * NS))
    )
    begin = Begin(START_NS + 60 * NS, shelf.segments[0].codec, b"\x00" * 700)
    shelf.keep(begin, data, [], 0, START_NS + 70 * NS)
    shelf.segments[-1] = replace(shelf.segments[-1], fragments=None)
    with pytest.raises(BaseExceptionGroup) as caught:
        await shelf.clip(Span(START_NS + 60 * NS, START_NS + 70 * NS))
    assert caught.group_contains(Mp4Error)


async def test_clip_longer_than_an_index_can_tell_goes_without(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "ENTRIES_MAX", 10)
    clip = await shelf.clip(whole_span(shelf))
    mp4 = await read(clip)
    assert b"sidx" not in [item.kind for item in boxes(mp4)]
    assert len(mp4) == clip.size_bytes
    assert len(decoded_times(mp4)) == len(shelf.pictures)


def test_plans_are_for_one_camera_a_span_with_footage_and_eight_hours_at_most(shelf: Shelf) -> None:
    span = whole_span(shelf)
    plan = plan_clip(list(reversed(shelf.segments)), span)
    assert plan.segment_ids == tuple(item.segment_id for item in shelf.segments)
    first = shelf.segments[0].span
    assert plan_clip(shelf.segments, Span(first.start_ns, first.end_ns)).segments == (shelf.segments[0],)
    with pytest.raises(NoFootageError):
        plan_clip(shelf.segments, Span(0, 1))
    with pytest.raises(NoFootageError):
        plan_clip([], span)
    with pytest.raises(ClipTooLongError):
        plan_clip(shelf.segments, Span(START_NS, START_NS + 8 * HOUR_NS + 1))
    strange = replace(shelf.segments[0], camera_id=CameraId(shelf.segments[0].site_id))
    with pytest.raises(ValueError, match="one camera"):
        plan_clip([strange, *shelf.segments], span)


async def test_clip_of_a_segment_without_a_key_frame_reaches_back_to_it() -> None:
    """Key frames every four seconds, forced cuts every one: decoding begins in an earlier segment."""
    shelf = Shelf()
    shelf.film(units(encoded(8.0, gop=100)), segment_s=1.0, segment_max_s=1.2)
    keyless = [segment for segment in shelf.segments if segment.fragments and not segment.fragments.key[0]]
    assert len(keyless) >= 4
    for offset in (0, 1, 25, 39, 40, 41, 55, 70):
        span = Span(START_NS + offset * NS // 10, START_NS + offset * NS // 10 + NS // 2)
        wide = reached_back(shelf.segments, span)
        assert wide == Span(START_NS + (0 if offset < 40 else 4 * NS), span.end_ns)
        assert plan_clip(shelf.segments, wide).shown.start_ns == wide.start_ns
        clip = await shelf.clip(wide)
        times = decoded_times(await read(clip))
        assert len(times) == round(clip.span.duration_ns / NS * 25)
    assert not begins_with_key(keyless[:1], keyless[0].span)
    assert reached_back(keyless[:1], keyless[0].span) == keyless[0].span  # nothing to reach back to
    assert begins_with_key(shelf.segments, whole_span(shelf))
