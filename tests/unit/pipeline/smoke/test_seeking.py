"""The smoke check's seeking: right on a clip of ours, and found out where the index leads to no key frame."""

from __future__ import annotations

import shutil

from domain.time import Span
from pipeline.smoke.pictures import read_pictures
from pipeline.smoke.seeking import TIMES, Seeks, seek
from tests.judges.clips import Film, Scene, as_recorded, make


def test_seek_in_a_clip_shows_the_picture_of_the_time() -> None:
    mp4, table = make(Film(scenes=[Scene(seconds=4, b_frames=2), Scene(seconds=4, gap_s=2)]))
    pictures = read_pictures(mp4, Span(0, 1))
    assert pictures.frames == len(table.pictures)
    found = seek(mp4, pictures.shown)
    by_ffmpeg = 4 if shutil.which("ffmpeg") else 0
    assert found == Seeks(times=TIMES, by_ffmpeg=by_ffmpeg, unreadable=0, error_ms_max=0.0)


def test_seek_by_an_index_of_half_seconds_is_found_out() -> None:
    mp4, _ = as_recorded(Film(scenes=[Scene(seconds=8)], segment_s=60))
    found = seek(mp4, read_pictures(mp4, Span(0, 1)).shown)
    assert found.unreadable + found.error_ms_max > 0
