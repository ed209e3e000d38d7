"""What the smoke check takes from the cameras' own word, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.live import LiveCamera, live_settings
from domain.time import NS, Span
from pipeline.smoke.expected import read_skipped
from pipeline.smoke.holding import SmokeError
from pipeline.smoke.lateness import Lateness
from pipeline.smoke.pictures import Pictures
from pipeline.smoke.run import _check_pictures, _Found

FPS = 12.5
STEP_NS = round(NS / FPS)


def test_only_that_cameras_pictures_inside_the_span_count(tmp_path: Path) -> None:
    path = tmp_path / "skips.jsonl"
    assert read_skipped(path, 1, Span(0, 100 * NS), FPS) == 0
    path.write_text(
        f'{{"camera": 1, "at_ns": {10 * NS}, "pictures": 6}}\n'
        f'{{"camera": 2, "at_ns": {10 * NS}, "pictures": 40}}\n'
        f'{{"camera": 1, "at_ns": {20 * NS}, "pictures": 5}}\n'
    )
    assert read_skipped(path, 1, Span(0, 15 * NS), FPS) == 6
    assert read_skipped(path, 1, Span(0, 30 * NS), FPS) == 11
    assert read_skipped(path, 1, Span(10 * NS - 3 * STEP_NS, 15 * NS), FPS) == 3
    assert read_skipped(path, 1, Span(11 * NS, 19 * NS), FPS) == 0


@pytest.mark.parametrize(("late", "left_out"), [(0, 0), (2, 0), (6, 6)])
def test_a_camera_notes_what_it_leaves_out(late: int, left_out: int) -> None:
    camera = LiveCamera(path="/c", number=1, name="c", settings=live_settings((320, 192), FPS, 100_000, 1))
    camera.advance(camera.due_ns() + late * STEP_NS + STEP_NS // 2)
    assert sum(pictures for _, pictures in camera.skips) == camera.skipped == left_out


@pytest.mark.parametrize(
    ("frames", "skipped", "holds"), [(100, 0, True), (94, 6, True), (94, 0, False), (100, 6, False)]
)
def test_pictures_lost_on_the_way_are_told_from_those_never_made(frames: int, skipped: int, holds: bool) -> None:
    span = Span(0, 8 * NS)
    found = _Found(clip=b"", span=span, asked=span, camera_id="", camera_name="c", seconds=0)
    pictures = Pictures(frames=frames, unreadable=0, cameras=frozenset({1}), error_ms_max=0, shown=())
    if holds:
        assert _check_pictures(found, pictures, skipped, 1, Lateness()) == 100 - skipped
    else:
        with pytest.raises(SmokeError, match=f"has {frames} pictures, not {100 - skipped}"):
            _check_pictures(found, pictures, skipped, 1, Lateness())


def test_a_picture_may_be_as_late_as_the_machine() -> None:
    span = Span(0, 8 * NS)
    found = _Found(clip=b"", span=span, asked=span, camera_id="", camera_name="c", seconds=0)
    pictures = Pictures(frames=100, unreadable=0, cameras=frozenset({1}), error_ms_max=400, shown=())
    late = Lateness()
    with pytest.raises(SmokeError, match="400 ms from what the catalogue claims, and may be 200"):
        _check_pictures(found, pictures, 0, 1, late)
    late.worst_ms = 70
    assert _check_pictures(found, pictures, 0, 1, late) == 100
