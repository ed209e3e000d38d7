"""The marker of each access unit reaches those who decode it."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from demo.video import marker
from demo.video.canvas import Canvas
from demo.video.encoder import AccessUnit, Encoder, EncoderSettings, parameter_sets
from demo.video.pictures import Report, Scene
from domain.access import EventKind

START_NS = 1_795_000_000_120_000_000


FPS = Fraction(25, 2)


FRAME_NS = 80_000_000


def film(size: tuple[int, int], bit_rate: int, frames: int, b_frames: int = 0) -> list[AccessUnit]:
    """A minute's worth of nothing but the room, the clock and three people."""
    scene, canvas = Scene(7, "Entrance", size), Canvas(*size)
    settings = EncoderSettings(size=size, fps=FPS, bit_rate=bit_rate, gop_frames=25, b_frames=b_frames)
    encoder = Encoder(settings, 7)
    scene.react(Report(kind=EventKind.ENTERED, at_ns=START_NS, people=3))
    units: list[AccessUnit] = []
    for index in range(frames):
        now_ns = START_NS + index * FRAME_NS
        scene.draw(canvas, now_ns)
        units += encoder.encode(canvas.frame, index, now_ns // 1_000_000)
    return units + encoder.flush()


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
