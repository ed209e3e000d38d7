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
from tests.support.footage.fragments import H264, H265, Piece, init_of, piece

CODEC, INIT = init_of()


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


def walked(data: bytes, cuts: list[int] | None = None, *, torn: bool = False) -> Walked:
    walker = Walker()
    edges = [0, *sorted(cuts or []), len(data)]
    for start, end in itertools.pairwise(edges):
        walker.push(data[start:end])
    return walker.finish(torn=torn)


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


def test_long_form_of_a_box_size_is_read() -> None:
    data = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"hello" + full_box(b"free", 0, 0)
    assert [(item.kind, item.body, item.end) for item in boxes(data)] == [(b"mdat", 16, 21), (b"free", 29, 33)]
