"""Boxes: what we write is what libav reads; whatever else comes is refused by one error and no other."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.media.init import make_init
from storage.mp4 import (
    GroupPart,
    GroupPlace,
    Mp4Error,
    Walked,
    Walker,
    box,
    boxes,
    delay_of,
    describe_init,
    find,
    full_box,
    join_fragments,
    merge_inits,
    parameter_sets,
    parse_moof,
    sidx,
)
from storage.mp4.sidx import end_mark, sidx_size
from tests.support.footage.fragments import H264, H265, Piece, init_of, piece

CODEC, INIT = init_of()
DICE = random.Random(3)
PLACE = GroupPlace(
    sequence=7,
    description_index=2,
    start_ticks=900,
    end_ticks=45_900,
    delay_ticks=0,
    parameter_sets=b"",
    size_bytes=5000,
)


def pieces(count: int = 4, *, size: int = 3000) -> list[Piece]:
    return [piece(random.Random(n), 0, n * 500_000_000, key=n % 2 == 0, size=size) for n in range(count)]


def free(size: int) -> bytes:
    return size.to_bytes(4, "big") + b"free" + bytes(size - 8)


def walked(data: bytes, cuts: list[int] | None = None, *, torn: bool = False) -> Walked:
    walker = Walker()
    edges = [0, *sorted(cuts or []), len(data)]
    for start, end in itertools.pairwise(edges):
        walker.push(data[start:end])
    return walker.finish(torn=torn)


# -- Reading our own


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12_000), max_size=12), st.lists(st.sampled_from([0, 8, 9, 700]), min_size=4, max_size=4))
def test_walker_finds_the_same_however_the_bytes_come(cuts: list[int], padding: list[int]) -> None:
    made = pieces(4, size=1500)
    data = bytearray(INIT)
    offsets = []
    for item, pad in zip(made, padding, strict=True):
        data += free(pad) if pad else b""
        offsets.append(len(data))
        data += item.data
    found = walked(bytes(data), [min(cut, len(data)) for cut in cuts])
    assert found.init == INIT
    assert found.index.offset == tuple(offsets)
    assert found.index.size == tuple(len(item.data) for item in made)
    assert found.index.start_ms == (0, 500, 1000, 1500)
    assert found.index.key == (True, False, True, False)
    assert found.frames == sum(item.frames for item in made)
    assert found.end_ms in (1999, 2000)


def test_walker_of_a_torn_segment_counts_whole_fragments_only() -> None:
    made = pieces(3)
    data = INIT + b"".join(item.data for item in made)
    last = len(data) - len(made[-1].data)
    for cut in range(last, len(data), 97):
        assert len(walked(data[:cut], torn=True).index.offset) == 2
        if cut > last:
            with pytest.raises(Mp4Error):
                walked(data[:cut])
    assert len(walked(data, torn=True).index.offset) == 3
    for cut in range(len(INIT)):
        with pytest.raises(Mp4Error):
            walked(data[:cut], torn=True)


@pytest.mark.parametrize(
    "broken",
    [
        lambda a, b: a + b,  # no init
        lambda a, b: INIT + INIT + a,
        lambda a, b: INIT + a[:-1] + b,
        lambda a, b: INIT + b + a,  # time goes back
        lambda a, b: INIT + a + box(b"uuid", b"x" * 16),
        lambda a, b: INIT + a + box(b"mdat", b"stray"),
        lambda a, b: INIT + a + struct.pack(">I4s", 3, b"free"),
        lambda a, b: INIT + a + struct.pack(">I4s", 0, b"mdat"),
        lambda a, b: INIT + struct.pack(">I4s", 1 << 30, b"moof") + bytes(100),
        lambda a, b: INIT + a[: a.index(b"mdat") - 4] + b,  # two moofs
        lambda a, b: INIT + a[: a.index(b"mdat") - 4] + free(20) + a[a.index(b"mdat") - 4 :],
        lambda a, b: b"",
    ],
)
def test_walker_refuses_what_our_recorder_does_not_write(broken: Callable[[bytes, bytes], bytes]) -> None:
    first, second, *_ = pieces()
    assert walked(INIT + first.data + second.data).frames == 6  # positive control
    with pytest.raises(Mp4Error):
        walked(broken(first.data, second.data))


@pytest.mark.parametrize("parameters", [H264, H265])
def test_init_describes_its_codec_as_the_recorder_does(parameters: object) -> None:
    codec, init = make_init(parameters)  # type: ignore[arg-type]
    assert describe_init(init) == codec
    codec, init = make_init(parameters, 3600)  # type: ignore[arg-type]
    assert describe_init(init) == codec
    merged = merge_inits([init], 10.0)
    assert describe_init(merged) == codec


# -- Anything else


def genuine() -> list[bytes]:
    return [INIT, make_init(H265)[1], pieces(1)[0].data, sidx(90_000, [1, 2], [3, 4])]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Genuine boxes with bytes changed, cut out, doubled: most are nearly right."""
    data = bytearray(draw(st.sampled_from(genuine())))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        change = draw(st.sampled_from(["set", "length", "cut", "insert", "end"]))
        if change == "set" and data:
            data[at] = draw(st.integers(0, 255))
        elif change == "length":
            data[at : at + 4] = draw(st.sampled_from([0, 1, 7, 8, 9, 16, 1 << 31, (1 << 32) - 1])).to_bytes(4, "big")
        elif change == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        elif change == "insert":
            data[at:at] = draw(st.binary(max_size=40))
        else:
            del data[at:]
    return bytes(data)


READERS: list[Callable[[bytes], object]] = [
    lambda data: list(boxes(data)),
    lambda data: find(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"),
    lambda data: merge_inits([data], 1.0),
    lambda data: merge_inits([INIT, data], 1.0),
    describe_init,
    parse_moof,
    lambda data: join_fragments([GroupPart(fragments=[memoryview(data)], shift_ticks=900, delay_ticks=0)], PLACE),
    delay_of,
    parameter_sets,
    walked,
    lambda data: walked(INIT + data),
    lambda data: walked(INIT + data, torn=True),
]


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=250, deadline=None)
@given(data=st.one_of(mutated(), st.binary(max_size=200)))
def test_malformed_boxes_raise_the_one_error_only(reader: Callable[[bytes], object], data: bytes) -> None:
    try:
        reader(data)
    except Mp4Error as error:
        assert error.what


# -- Writing


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 1 << 24), st.integers(1, 1 << 24)), max_size=30))
def test_sidx_names_every_entry_as_a_place_to_seek_to(entries: list[tuple[int, int]]) -> None:
    made = sidx(90_000, [item[0] for item in entries], [item[1] for item in entries])
    assert len(made) == sidx_size(len(entries))
    size, kind, version_flags, reference, timescale = struct.unpack_from(">I4sIII", made)
    assert (size, kind, version_flags, reference, timescale) == (len(made), b"sidx", 1 << 24, 1, 90_000)
    earliest, offset, reserved, count = struct.unpack_from(">QQHH", made, 20)
    assert (earliest, offset, reserved, count) == (0, 0, 0, len(entries) + 1)
    for number, (length, duration) in enumerate(entries):
        at = 40 + number * 12
        found = struct.unpack_from(">III", made, at)
        assert found == (length, duration, 0x90000000)
    assert struct.unpack_from(">III", made, len(made) - 12) == (len(end_mark(7)), 0, 0)


def test_merged_init_has_all_descriptions_and_the_duration() -> None:
    other = make_init(H265)[1]
    merged = merge_inits([INIT, other], 12.5)
    stsd = find(merged, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    assert int.from_bytes(merged[stsd.body + 4 : stsd.body + 8], "big") == 2
    kinds = [item.kind for item in boxes(merged, stsd.body + 8, stsd.end)]
    assert kinds == [b"avc1", b"hvc1"]
    mehd = find(merged, b"moov", b"mvex", b"mehd")
    assert int.from_bytes(merged[mehd.body + 4 : mehd.end], "big") == 12.5 * 90_000
    assert [item.kind for item in boxes(merged)] == [b"ftyp", b"moov"]
    again = merge_inits([merged], 1.0)
    assert [item.kind for item in boxes(again)] == [b"ftyp", b"moov"]
    moov = find(again, b"moov")
    assert [item.kind for item in boxes(again, moov.body, moov.end)].count(b"mvex") == 1


def test_long_form_of_a_box_size_is_read() -> None:
    data = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"hello" + full_box(b"free", 0, 0)
    assert [(item.kind, item.body, item.end) for item in boxes(data)] == [(b"mdat", 16, 21), (b"free", 29, 33)]
