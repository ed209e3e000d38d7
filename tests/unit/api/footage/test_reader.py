"""Clips against libav: every picture at its time, any byte range a slice of the whole; segments, gaps, inits."""

from __future__ import annotations

import asyncio
import hashlib
import io
import itertools
import random
import struct
from dataclasses import replace

import av
import pytest

from api.footage import (
    ClipTooLongError,
    Inits,
    NoFootageError,
    assembly,
    begins_with_key,
    plan,
    plan_clip,
    reached_back,
)
from api.footage.walk import index_by_reading
from domain.footage import FragmentIndex
from domain.ids import CameraId
from domain.time import HOUR_NS, NS, Span
from ingest.media.segmenter import Begin
from storage.mp4 import Mp4Error, boxes, find, parameter_sets, parse_moof
from storage.mp4.sidx import end_mark
from storage.sealed import HEADER_SIZE, TRAILER_SIZE, RefusedError, SegmentReader, plan_recovery
from storage.sealed.format import TAG_SIZE
from tests.support.cameras.video import decoded_times, encoded, units
from tests.support.footage.sealed import START_NS, finish, new_sealer
from tests.support.footage.shelf import Shelf, read, whole_span


def sizes_of(mp4: bytes) -> list[tuple[int, int]]:
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        return [(frame.width, frame.height) for frame in container.decode(video=0)]


@pytest.fixture
def shelf() -> Shelf:
    """Twelve seconds in six segments, a gap of five seconds in the middle."""
    made = Shelf()
    end_ns = made.film(units(encoded(6, gop=25)))
    made.film(units(encoded(6, gop=25)), end_ns + 5 * NS)
    assert len(made.segments) == 6
    return made


@pytest.fixture
def heavy() -> Shelf:
    """One segment of many chunks."""
    made = Shelf()
    made.film(units(encoded(8, gop=25, size=(960, 576))), segment_s=20.0)
    (segment,) = made.segments
    assert segment.size_bytes > 5 << 14
    return made


async def test_whole_clip_shows_every_picture_at_its_time(shelf: Shelf) -> None:
    clip = await shelf.clip(whole_span(shelf))
    mp4 = await read(clip)
    assert len(mp4) == clip.size_bytes
    times = decoded_times(mp4)
    expected = [(at - clip.span.start_ns) / NS for at, _ in shelf.pictures]
    assert times == pytest.approx(expected, abs=0.002)
    assert clip.span == whole_span(shelf)
    assert len(clip.footage) == 6
    assert clip.mime == 'video/mp4; codecs="avc1.42c00c"'


@pytest.mark.parametrize("b_frames", [0, 3])
@pytest.mark.parametrize("seed", range(6))
async def test_clip_of_any_span_starts_at_a_key_frame_and_shows_what_was_asked_for(seed: int, b_frames: int) -> None:
    dice = random.Random(seed)
    shelf = Shelf()
    at_ns = START_NS
    for _ in range(3):
        gop = dice.choice((13, 25, 50))
        at_ns = shelf.film(units(encoded(dice.choice((2, 3.2, 4)), gop=gop, b_frames=b_frames)), at_ns)
        at_ns += dice.choice((0, NS, 7 * NS))
    whole = whole_span(shelf)
    for _ in range(4):
        start_ns = dice.randrange(whole.start_ns, whole.end_ns - NS)
        span = Span(start_ns, dice.randrange(start_ns + 1, whole.end_ns))
        try:
            clip = await shelf.clip(span)
        except NoFootageError:
            assert not any(span.contains(at) for at, _ in shelf.pictures)
            continue
        mp4 = await read(clip)
        assert len(mp4) == clip.size_bytes
        shown = [clip.span.start_ns + round(time * NS) for time in decoded_times(mp4)]
        wanted = [at for at, _ in shelf.pictures if span.contains(at)]
        assert all(any(abs(at - found) < 2_000_000 for found in shown) for at in wanted)
        assert min(shown) <= span.start_ns + 40_000_000 or min(shown) == pytest.approx(min(wanted), abs=2_000_000)
        extra_ns = 2 * NS + 600_000_000  # a key frame at most every two seconds, whole fragments
        assert all(span.start_ns - extra_ns < at < span.end_ns + 600_000_000 for at in shown)


async def test_any_byte_range_is_a_slice_of_the_whole(shelf: Shelf) -> None:
    clip = await shelf.clip(whole_span(shelf))
    whole = await read(clip)
    dice = random.Random(1)
    head = whole.index(b"moof") - 4
    edges = [0, 1, head - 1, head, head + 1, len(whole) - 1, len(whole), len(whole) + 10]
    ranges = list(itertools.product(edges, edges))
    ranges += [tuple(sorted(dice.sample(range(len(whole)), 2))) for _ in range(150)]  # type: ignore[misc]
    for start, end in ranges:
        assert await read(clip, start, end) == whole[start:end]
    assert await read(clip) == whole  # reading changes nothing


async def test_reading_a_range_fetches_little_more_than_the_range(shelf: Shelf) -> None:
    clip = await shelf.clip(whole_span(shelf))
    shelf.reads.clear()
    group = clip._groups[len(clip._groups) // 2]  # read whole, since its tables come first
    await read(clip, group.at + 1000, group.at + 2000)
    tail = max((item.size_bytes - HEADER_SIZE - TRAILER_SIZE) % ((1 << 14) + TAG_SIZE) for item in shelf.segments)
    assert sum(shelf.reads) <= group.place.size_bytes + 2 * (1 << 14) + 4 * (TAG_SIZE + 16) + tail + TRAILER_SIZE


async def test_no_opened_footage_is_kept_when_it_has_been_read(shelf: Shelf) -> None:
    """Nor does one reader who is done disturb another one in the same segment."""
    clip = await shelf.clip(whole_span(shelf))
    whole = await read(clip)
    held = [part.opened.reader for item in clip._groups for part in item.parts]
    assert not any(reader._opener.ready for reader in held)
    most = 0
    async for _ in clip.stream():
        most = max(most, len({id(reader) for reader in held if reader._opener.ready}))
    assert 1 <= most <= 3
    at = [len(whole) * part // 20 for part in range(20)]
    for got, start in zip(await asyncio.gather(*(read(clip, each, each + 50_000) for each in at)), at, strict=True):
        assert got == whole[start : start + 50_000]


@pytest.mark.parametrize("segment_s", [2.0, 0.5])
async def test_index_leads_to_every_key_frame_and_to_nothing_else(segment_s: float) -> None:
    """Key frames every two seconds, fragments of half a second; segments longer than a group, and shorter."""
    shelf = Shelf()
    end_ns = shelf.film(units(encoded(6, gop=50)), segment_s=segment_s, segment_max_s=max(segment_s, 0.6))
    shelf.film(units(encoded(6, gop=50)), end_ns + 5 * NS, segment_s=segment_s, segment_max_s=max(segment_s, 0.6))
    clip = await shelf.clip(whole_span(shelf))
    mp4 = await read(clip)
    top = list(boxes(mp4))
    assert [item.kind for item in top[:3]] == [b"ftyp", b"moov", b"sidx"]
    assert [item.kind for item in top[3:-1]] == [b"moof", b"mdat"] * (len(top[3:]) // 2)
    assert mp4[top[-1].start :] == end_mark(len(top[3:]) // 2 + 1)
    at = top[2].end
    (count,) = struct.unpack_from(">H", mp4, top[2].body + 4 + 8 + 16 + 2)
    moofs = {item.start: parse_moof(mp4[item.start : item.end]) for item in top[:-1] if item.kind == b"moof"}
    assert count - 1 == sum(moof.key for moof in moofs.values()) == 6
    assert all(not flags & 0x10000 for moof in moofs.values() for flags in moof.pictures.flags[:1] if moof.key)
    assert all(flags & 0x10000 for moof in moofs.values() for flags in moof.pictures.flags[1:])
    assert len(moofs) == 6  # a group is one fragment, in however many segments it lies
    elapsed = 0
    for number in range(count - 1):
        size, duration, sap = struct.unpack_from(">III", mp4, top[2].body + 32 + number * 12)
        assert moofs[at].key
        assert moofs[at].decode_ticks == elapsed  # to the tick: a picture is shown exactly when the index says
        assert sap == 0x90000000
        at += size
        elapsed += duration
    assert at == top[-1].start
    assert elapsed == pytest.approx(clip.span.duration_ns * 90_000 / NS, abs=1)


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_any_time_that_libav_seeks_to_decodes_from_the_key_frame_at_or_before_it(b_frames: int) -> None:
    shelf = Shelf()
    end_ns = shelf.film(units(encoded(9, gop=75, b_frames=b_frames)))
    shelf.film(units(encoded(9, gop=75, b_frames=b_frames)), end_ns + 5 * NS)
    clip = await shelf.clip(whole_span(shelf))
    mp4 = await read(clip)
    shown = decoded_times(mp4)
    keys = [at for at in shown if min(abs(at - part - key) for part in (0, 14) for key in (0, 3, 6)) < 0.01]
    assert len(keys) == 6
    dice = random.Random(5)
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        for wanted in (*(dice.uniform(0.05, 22.9) for _ in range(400)), *(key + 0.001 for key in keys)):
            container.seek(int(wanted * 1e6))
            first = next(container.decode(video=0))
            assert first.time == pytest.approx(max(key for key in keys if key <= wanted), abs=0.002), wanted


async def test_sequence_numbers_count_on_and_times_never_go_back(shelf: Shelf) -> None:
    mp4 = await read(await shelf.clip(whole_span(shelf)))
    sequences, ticks = [], []
    for item in list(boxes(mp4))[:-1]:
        if item.kind == b"moof":
            moof = mp4[item.start : item.end]
            sequences.append(int.from_bytes(moof[20:24], "big"))
            ticks.append(struct.unpack_from(">Q", moof, moof.index(b"tfdt") + 8)[0])
    assert sequences == list(range(1, len(sequences) + 1))
    assert ticks == sorted(ticks)


async def test_parameter_sets_that_change_stand_before_each_key_frame() -> None:
    """One description for all, so that libav, which knows only the first, decodes each picture in its own size."""
    shelf = Shelf()
    end_ns = shelf.film(units(encoded(3, gop=25, b_frames=2)))
    end_ns = shelf.film(units(encoded(3, gop=25, size=(640, 384))), end_ns, codec_size=(640, 384))
    shelf.film(units(encoded(3, gop=25)), end_ns)
    clip = await shelf.clip(whole_span(shelf))
    mp4 = await read(clip)
    assert len(mp4) == clip.size_bytes
    stsd = find(mp4, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    assert len(list(boxes(mp4, stsd.body + 8, stsd.end))) == 1
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        shown = sorted((float(frame.time), (frame.width, frame.height)) for frame in container.decode(video=0))
    assert [size for _, size in shown] == [size for _, size in shelf.pictures]
    expected = [(at - START_NS) / NS for at, _ in shelf.pictures]
    assert [at for at, _ in shown] == pytest.approx(expected, abs=0.002)
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        for wanted, size in ((4.5, (640, 384)), (1.5, (320, 192)), (3.2, (640, 384)), (7.5, (320, 192))):
            container.seek(int(wanted * 1e6))
            frame = next(container.decode(video=0))
            assert (frame.width, frame.height) == size
    assert mp4.count(init_sets(shelf)) == 3


def init_sets(shelf: Shelf) -> bytes:
    """Of the large pictures, as they stand before a key frame."""
    large = next(item for item in shelf.segments if item.codec.width == 640)
    return parameter_sets(shelf.init(large))


async def test_two_codecs_in_one_clip_are_both_described() -> None:
    shelf = Shelf()
    end_ns = shelf.film(units(encoded(2, gop=25)))
    shelf.film(units(encoded(2, gop=25, codec="libx265"), "hevc"), end_ns)
    mp4 = await read(await shelf.clip(whole_span(shelf)))
    stsd = find(mp4, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    assert [item.kind for item in boxes(mp4, stsd.body + 8, stsd.end)] == [b"avc1", b"hvc1"]
    moofs = [mp4[item.start : item.end] for item in list(boxes(mp4))[:-1] if item.kind == b"moof"]
    numbers = [moof[moof.index(b"tfhd") + 12 : moof.index(b"tfhd") + 16] for moof in moofs]
    assert numbers == sorted(numbers)
    assert {int.from_bytes(number, "big") for number in numbers} == {1, 2}


async def test_long_group_of_pictures_is_given_out_in_bounded_fragments(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    shelf.film(units(encoded(8, gop=200, size=(640, 384))), segment_s=20)
    expected = decoded_times(await read(await shelf.clip(whole_span(shelf))))
    for module in (plan, assembly):
        monkeypatch.setattr(module, "GROUP_MAX_BYTES", 20_000)
    clip = await shelf.clip(whole_span(shelf))
    mp4 = await read(clip)
    assert len(mp4) == clip.size_bytes
    moofs = [parse_moof(mp4[item.start : item.end]) for item in boxes(mp4) if item.kind == b"moof"]
    assert len(moofs) > 3
    assert [moof.key for moof in moofs] == [True] + [False] * (len(moofs) - 1)
    assert decoded_times(mp4) == expected
    assert b"sidx" not in [item.kind for item in boxes(mp4)]  # libav would take each of them for a place to seek to
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        for wanted in (5, 1, 7.5, 3):
            container.seek(int(wanted * 1e6))
            assert next(container.decode(video=0)).time == 0


async def test_pictures_whose_key_frame_is_missing_are_left_out() -> None:
    """Key frames every four seconds, a segment a second: without the one that has a key frame the next are smeared."""
    shelf = Shelf()
    shelf.film(units(encoded(12.0, gop=100)), segment_s=1.0, segment_max_s=1.2)
    lost = next(item for item in shelf.segments[1:] if item.fragments and any(item.fragments.key))
    del shelf.keys[lost.segment_id]
    clip = await shelf.clip(whole_span(shelf))
    times = [clip.span.start_ns + round(at * NS) for at in decoded_times(await read(clip))]
    assert times[0] == START_NS
    missing = Span(lost.span.start_ns, START_NS + 8 * NS)
    assert missing.contains(START_NS + 4 * NS)
    wanted = [at for at, _ in shelf.pictures if not missing.contains(at)]
    assert times == pytest.approx(wanted, abs=2_000_000)
    assert not any(span.overlaps(missing) for span in clip.footage)
    follower = shelf.segments[shelf.segments.index(lost) + 1]
    with pytest.raises(NoFootageError):
        await shelf.clip(follower.span)


async def test_equal_inits_are_read_once_and_then_known(shelf: Shelf) -> None:
    expected = await read(await shelf.clip(whole_span(shelf)))
    shelf.hash_inits()
    inits = Inits()
    shelf.reads.clear()
    clip = await shelf.clip(whole_span(shelf), inits)
    assert len(shelf.reads) == 2  # a tail and the first chunk of one segment of six
    assert await read(clip) == expected
    shelf.reads.clear()
    clip = await shelf.clip(whole_span(shelf), inits)
    assert len(shelf.reads) == 1
    assert await read(clip) == expected


async def test_inits_that_change_are_all_described_when_their_hashes_are_known() -> None:
    shelf = Shelf()
    end_ns = shelf.film(units(encoded(3, gop=25)))
    end_ns = shelf.film(units(encoded(3, gop=25, size=(640, 384))), end_ns, codec_size=(640, 384))
    shelf.film(units(encoded(3, gop=25)), end_ns)
    expected = await read(await shelf.clip(whole_span(shelf)))
    shelf.hash_inits()
    inits = Inits()
    for _ in range(2):
        assert await read(await shelf.clip(whole_span(shelf), inits)) == expected


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
