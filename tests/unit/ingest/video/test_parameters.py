"""Sequence parameter sets with any values in any field: an init, or our own error."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.access_unit import VideoParameters
from ingest.errors import StreamError
from ingest.media.init import make_init
from ingest.video.parameters import ParameterSets
from tests.support.cameras.video import Writer

UE = st.one_of(st.integers(0, 20), st.sampled_from((254, 255, 256, 65_535, 1 << 31)))


FEW = st.one_of(st.integers(1, 3), UE)


def h265(*, sub_layers: int = 0, chroma: int = 1, size: tuple[int, int] = (1920, 1080), bits: tuple[int, int]) -> bytes:
    made = Writer()
    made.u(4, 0)
    made.u(3, sub_layers)
    made.u(1, 1)
    made.u(96, 0x0160000000900000000000 << 8 | 93)
    if sub_layers:
        made.u(16, 0)  # none of their profiles and levels is told
    made.ue(0, chroma)
    if chroma == 3:
        made.u(1, 0)
    made.ue(*size)
    made.u(1, 0)
    made.ue(*bits)
    return made.nal(b"\x42\x01")


def h264(*, chroma: int = 1, size: tuple[int, int] = (119, 67), bits: tuple[int, int], ident: int = 0) -> bytes:
    made = Writer()
    made.u(24, 100 << 16 | 40)
    made.ue(ident, chroma)
    if chroma == 3:
        made.u(1, 0)
    made.ue(*bits)
    made.u(2, 0)
    made.ue(0, 0, 0, 4)
    made.u(1, 0)
    made.ue(*size)
    made.u(4, 0b1100)
    return made.nal(b"\x67")


def parameters(codec: str, sps: bytes) -> VideoParameters:
    if codec == "h264":
        return VideoParameters(codec="h264", vps=b"", sps=sps, pps=(b"\x68\xee\x3c\x80",))
    return VideoParameters(codec="h265", vps=b"\x40\x01\x0c\x01", sps=sps, pps=(b"\x44\x01\xc1\x73",))


@pytest.mark.parametrize("ident", [1, 31, 32, 540_719])
def test_sps_that_nothing_refers_to_does_not_keep_the_others_from_counting(ident: int) -> None:
    """Cameras send one more, and bytes that were lost make one."""
    known, meant = ParameterSets("h264", None), parameters("h264", h264(bits=(0, 0)))
    known.take([h264(bits=(0, 0), ident=ident), meant.sps, *meant.pps])
    assert known.complete
    assert known.current is not None
    assert known.current.sps == meant.sps


@pytest.mark.parametrize(("codec", "make"), [("h264", h264), ("h265", h265)])
@pytest.mark.parametrize("bits", [(0, 0), (2, 2), (7, 0)])
def test_samples_of_up_to_sixteen_bits_are_recorded(
    codec: str, make: Callable[..., bytes], bits: tuple[int, int]
) -> None:
    found, init = make_init(parameters(codec, make(bits=bits)))
    assert (found.width, found.height) in ((1920, 1088), (1920, 1080))
    assert bytes((0xFC | 1, 0xF8 | bits[0], 0xF8 | bits[1])) in init


@pytest.mark.parametrize(("codec", "make"), [("h264", h264), ("h265", h265)])
@pytest.mark.parametrize("bits", [(9, 0), (0, 9), (248, 0), (0, 1 << 31)])
def test_more_bits_than_any_standard_has_are_refused(
    codec: str, make: Callable[..., bytes], bits: tuple[int, int]
) -> None:
    with pytest.raises(StreamError, match="bits"):
        make_init(parameters(codec, make(bits=bits)))


def test_seven_sub_layers_are_the_most() -> None:
    assert make_init(parameters("h265", h265(sub_layers=6, bits=(0, 0))))[0].width == 1920
    with pytest.raises(StreamError, match="damaged"):
        make_init(parameters("h265", h265(sub_layers=7, bits=(0, 0))))


@given(codec=st.sampled_from(("h264", "h265")), chroma=FEW, size=st.tuples(FEW, FEW), bits=st.tuples(UE, UE))
def test_any_values_end_in_an_init_or_our_own_error(
    codec: str, chroma: int, size: tuple[int, int], bits: tuple[int, int]
) -> None:
    sps = (h264 if codec == "h264" else h265)(chroma=chroma, size=size, bits=bits)
    try:
        make_init(parameters(codec, sps))
    except StreamError:
        return


@given(codec=st.sampled_from(("h264", "h265")), data=st.binary(max_size=80))
def test_any_bytes_end_in_an_init_or_our_own_error(codec: str, data: bytes) -> None:
    try:
        make_init(parameters(codec, (b"\x67" if codec == "h264" else b"\x42\x01") + data))
    except StreamError:
        return
