"""Clips against libav: every picture at its time, any byte range a slice of the whole; segments, gaps, inits."""

from __future__ import annotations

import asyncio
import io
import itertools
import random
import struct

import av
import pytest

from api.footage import (
    Inits,
    NoFootageError,
    assembly,
    plan,
)
from domain.time import NS, Span
from storage.mp4 import boxes, find, parameter_sets, parse_moof
from storage.mp4.sidx import end_mark
from storage.sealed import HEADER_SIZE, TRAILER_SIZE
from storage.sealed.format import TAG_SIZE
from tests.support.cameras.video import decoded_times, encoded, units
from tests.support.footage.sealed import START_NS
from tests.support.footage.shelf import Shelf, read, whole_span


def sizes_of(mp4: bytes) -> list[tuple[int, int]]:
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        return [(frame.width, frame.height) for frame in container.decode(video=0)]


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


async def test_parts_hold_no_more_footage_than_they_may_and_together_everything(shelf: Shelf) -> None:
    """Twelve seconds in groups of one second, and a gap of five seconds in the middle."""
    clip = await shelf.clip(whole_span(shelf))
    whole = await read(clip)
    for most_s, seconds in ((0, [1] * 12), (3, [3, 3, 3, 3]), (2.5, [2] * 6), (7.9, [6, 6]), (17, [12]), (60, [12])):
        got, counts = b"", []
        while len(got) < clip.size_bytes:
            end = clip.part_end(len(got), round(most_s * NS))
            data = await read(clip, len(got), end)
            counts.append(data.count(b"moof"))
            got += data
        counts[-1] -= 1  # behind the last group stands one without pictures, which the index needs (sidx.end_mark)
        assert (got, counts) == (whole, seconds), most_s
    first = clip.part_end(0, NS)
    assert clip.part_end(10, NS) == clip.part_end(first - 1, NS) == first  # anywhere within a group
    assert clip.part_end(clip.size_bytes - 1, NS) == clip.size_bytes


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
