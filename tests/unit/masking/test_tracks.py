"""Tracks and their JSON, which comes back from a page."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.boxes import Box
from masking.errors import TracksError
from masking.tracks import Sighting, Source, Track, Tracks
from tests.unit.masking.test_boxes import BOXES


@st.composite
def _tracks(draw: st.DrawFn) -> Tracks:
    frames = draw(st.integers(1, 40))
    found = []
    for number in range(draw(st.integers(0, 4))):
        seen = draw(st.dictionaries(st.integers(0, frames - 1), BOXES, min_size=1))
        sightings = tuple(Sighting(frame, box) for frame, box in sorted(seen.items()))
        found.append(Track(track_id=number, source=draw(st.sampled_from(Source)), sightings=sightings))
    return Tracks(width=320, height=180, frames=frames, fps=12.5, tracks=tuple(found))


ONE = Tracks(
    width=320,
    height=180,
    frames=50,
    fps=10.0,
    tracks=(Track(track_id=7, source=Source.PERSON, sightings=(Sighting(20, Box(10, 10, 30, 60)),)),),
)


@given(_tracks())
def test_tracks_come_back_from_json_as_they_were(tracks: Tracks) -> None:
    assert Tracks.load(tracks.dump()) == tracks


@pytest.mark.parametrize(
    "change",
    [
        {"format": "tallenne-tracks/2"},
        {"width": 0},
        {"frames": 10},
        {"fps": float("nan")},
        {"tracks": [{"id": 1, "source": "person", "sightings": []}]},
        {"tracks": [{"id": 1, "source": "dog", "sightings": [[1, 2, 3, 4, 5]]}]},
        {"tracks": [{"id": 1, "source": "face", "sightings": [[1, 2, 3, 4, 1.5]]}]},
        {"tracks": [{"id": 1, "source": "face", "sightings": [[2, 0, 0, 4, 5], [1, 0, 0, 4, 5]]}]},
        {"tracks": [{"id": 1, "source": "face", "sightings": [[1, 0, 0, 4, 5]]}] * 2},
        {"tracks": [{"id": True, "source": "face", "sightings": [[1, 0, 0, 4, 5]]}]},
        {"tracks": 5},
    ],
)
def test_json_that_holds_no_tracks_of_the_clip_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(TracksError):
        Tracks.load(json.dumps({**json.loads(ONE.dump()), **change}))


@pytest.mark.parametrize("text", ["", "[]", "null", "[" * 100_000, '{"format": "tallenne-tracks/1"}'])
def test_text_that_is_no_such_json_is_refused(text: str) -> None:
    with pytest.raises(TracksError):
        Tracks.load(text)


def test_staff_adds_a_mask_and_removes_it() -> None:
    more = ONE.with_mask([Sighting(9, Box(0, 0, 8, 8)), Sighting(3, Box(0, 0, 8, 8))])
    added = more.tracks[-1]
    assert (added.track_id, added.source, added.first, added.last) == (8, Source.STAFF, 3, 9)
    assert more.without(8) == ONE
    for wrong in ([], [Sighting(50, Box(0, 0, 8, 8))], [Sighting(1, Box(0, 0, 8, 8))] * 2):
        with pytest.raises(TracksError):
            ONE.with_mask(wrong)
