"""The marker of each access unit reaches those who decode it."""

from __future__ import annotations

import av
import pytest

from demo.video import marker
from demo.video.encoder import parameter_sets
from tests.support.cameras.strip_film import FRAME_NS, START_NS, film


@pytest.mark.parametrize("b_frames", [0, 2])
def test_every_access_unit_carries_its_marker_and_time(b_frames: int) -> None:
    units = film((640, 360), 300_000, 60, b_frames)
    assert len(units) == 60
    shown = sorted(units, key=lambda unit: unit.pts_ticks)
    times = [marker.read_stamp(unit.annex_b) for unit in shown]
    assert times == [((START_NS + index * FRAME_NS) // 1_000_000, 7) for index in range(60)]
    assert [unit.pts_ticks for unit in shown] == [7200 * index for index in range(60)]
    assert [unit.key for unit in units].count(True) == 3
    assert all(parameter_sets(unit.nals) is not None for unit in units if unit.key)
    assert (units != shown) == bool(b_frames)


def test_marker_reaches_whoever_decodes() -> None:
    decoder = av.CodecContext.create("h264", "r")
    for unit in film((640, 360), 300_000, 3):
        for frame in decoder.decode(av.Packet(unit.annex_b)):
            every = [frame.side_data[place] for place in range(len(frame.side_data))]
            found = [bytes(data) for data in every if data.type.name == "SEI_UNREGISTERED"]
            assert any(marker.read_stamp(data) == (unit.time_ms, 7) for data in found)


def test_marker_needs_no_emulation_prevention() -> None:
    nal = marker.sei_nal(0, 0)
    assert all(nal[at : at + 2] != b"\x00\x00" for at in range(len(nal)))
    assert marker.read_stamp(nal[:-5]) is None
    assert marker.read_stamp(b"") is None
