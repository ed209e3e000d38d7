"""What counts as masked: a person whose mask is taken away is missed, and the demo's persons are known to the pixel."""

from __future__ import annotations

from pathlib import Path

import jsonschema_rs
import pytest

from benchmarks.frame.result import SCHEMA
from benchmarks.load import people
from benchmarks.suites import masking
from benchmarks.suites.masking import Parameters, Score, Timed, score, without_one
from masking.boxes import Box
from masking.tracks import Sighting, Source, Track, Tracks

pytest.importorskip("cv2")
ONE, OTHER = Box(20, 20, 40, 70), Box(200, 20, 240, 150)


def _tracks(*boxes: Box) -> Tracks:
    tracks = tuple(
        Track(track_id=number, source=Source.STAFF, sightings=(Sighting(0, box), Sighting(4, box)))
        for number, box in enumerate(boxes)
    )
    return Tracks(width=320, height=180, frames=5, fps=10.0, tracks=tracks)


def test_masked_persons_count_by_size_and_a_planted_one_without_a_mask_is_missed() -> None:
    both = score(_tracks(ONE, OTHER), {2: [ONE, OTHER]}).figures()
    assert (both["persons"], both["masked"]) == ({"small": 1, "large": 1}, {"small": 1, "large": 1})
    assert both["recall"] == 1
    one = score(_tracks(OTHER), {2: [ONE, OTHER]}).figures()
    assert (one["masked"], one["recall"]) == ({"small": 0, "large": 1}, 0.5)


def test_person_whose_head_shows_is_not_masked() -> None:
    below = Box(20, 25, 40, 70)
    assert score(_tracks(below), {0: [ONE]}).figures()["recall"] == 0


def test_mask_over_no_person_is_false() -> None:
    found = Score()
    found.add([], [Box(0, 0, 32, 18)], (320, 180))
    assert found.figures()["false_share_of_masks"] == 1
    assert found.figures()["masked_area"] == pytest.approx(0.01)


def test_control_takes_away_the_masks_of_one_person_alone() -> None:
    tracks = without_one(_tracks(ONE, OTHER), 2, ONE)
    assert score(tracks, {2: [ONE, OTHER]}).figures()["masked"] == {"small": 0, "large": 1}


def test_finder_is_counted() -> None:
    timed = Timed(lambda _: [ONE])
    assert (timed(None), timed.calls) == ([ONE], 1)
    assert timed.ms >= 0


def test_persons_of_the_demo_are_where_they_are_drawn() -> None:
    data, marks = people.demo_film((320, 180), 10.0, 6.0, 1)
    assert len(data) > 1000
    assert marks and min(marks) >= 10  # nobody comes before the first second is over
    heights = [box.height for boxes in marks.values() for box in boxes]
    assert 180 * 0.2 < max(heights) < 180 * 0.7


def test_small_run_fits_the_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "film_of_persons", lambda: None)
    small = Parameters(speed_s=1.0, speed_size=(320, 180), demo_s=4.0)
    result = masking.run(small, tmp_path)
    jsonschema_rs.validate(SCHEMA, result)
    assert {case["name"] for case in result["cases"]} == {"demo", "speed"}
    assert set(result["missing"]) == {"persons", "faces"}
    assert list(tmp_path.iterdir()) == []
