"""H.264 payloads through the track: aggregates, fragments, and the modes that are refused."""

from __future__ import annotations

import pytest

from ingest.errors import StreamError
from tests.support.cameras.rtp import frame, h264_payloads, make_track, units, walked
from tests.support.rtsp.stream_parts import IDR, KEY, PICTURE, PPS, SEI, SPS, prefixed, stream


def test_aggregate_holds_several_units() -> None:
    together = b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in (SPS, PPS, SEI, IDR))
    (unit,) = units(walked(make_track(), [frame(together, 1, 0, marker=True)]))
    assert unit.data == prefixed(SEI, IDR)
    assert unit.parameters.sps == SPS


@pytest.mark.parametrize("changed", [b"\x7c\x01", b"\x1c\x05", b"\x7c\x25"])
def test_fragment_whose_header_changes_is_taken(changed: bytes) -> None:
    big = b"\x65\x88" + bytes(4000)
    payloads = h264_payloads(big)
    payloads[1] = changed + payloads[1][2:]
    (unit,) = units(walked(make_track(), stream((SPS, PPS, *payloads))))
    assert unit.data == prefixed(big)


def test_fragments_without_a_beginning_are_a_loss() -> None:
    tail = h264_payloads(b"\x41\x9a" + bytes(4000))[1:]
    items = walked(make_track(), stream(KEY, tuple(tail), (PICTURE,), KEY))
    assert [type(item).__name__ for item in items] == ["AccessUnit", "Loss", "AccessUnit", "AccessUnit"]
    assert [unit.damaged for unit in units(items)] == [False, True, False]


def test_fragment_that_is_first_and_last() -> None:
    both = bytes((IDR[0] & 0xE0 | 28, 0xC0 | 5)) + IDR[1:]
    (unit,) = units(walked(make_track(), stream((SPS, PPS, both))))
    assert unit.data == prefixed(IDR)


@pytest.mark.parametrize("payload", [b"\x79" + bytes(20), b"\x7a" + bytes(20), b"\x7d\x85" + bytes(20)])
def test_interleaved_mode_is_refused(payload: bytes) -> None:
    with pytest.raises(StreamError, match="interleaved"):
        walked(make_track(), [frame(payload, 1, 0)])
