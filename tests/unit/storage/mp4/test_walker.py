"""The walker finds the same however the bytes come, and refuses what our recorder does not write."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.mp4 import (
    Mp4Error,
    Walked,
    Walker,
    box,
)
from tests.support.footage.fragments import Piece, init_of, piece

CODEC, INIT = init_of()


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
