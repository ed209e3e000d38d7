"""What is masked in frames between, before and after sightings, and what is cleared."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from masking.boxes import Box
from masking.covering import EXTENSION_S, Clearing, Cover, masked_boxes, together
from masking.tracks import Sighting, Source, Track, Tracks


def _tracks(*tracks: Track, frames: int = 100) -> Tracks:
    return Tracks(width=400, height=300, frames=frames, fps=10.0, tracks=tracks)


def _track(track_id: int, source: Source, *sightings: tuple[int, Box]) -> Track:
    return Track(track_id=track_id, source=source, sightings=tuple(Sighting(*at) for at in sightings))


BODY = Box(100, 100, 140, 200)
WALK = _track(1, Source.PERSON, (40, BODY), (50, Box(200, 100, 240, 200)))


def _holds(outer: list[Box], inner: Box) -> bool:
    return any(inner.common(box) == inner for box in outer)


@given(st.integers(0, 10))
def test_person_is_masked_on_the_way_between_two_sightings(done: int) -> None:
    now = Box(100 + 10 * done, 100, 140 + 10 * done, 200)
    assert _holds(masked_boxes(_tracks(WALK), 40 + done), now)


def test_mask_begins_before_the_first_sighting_and_ends_after_the_last() -> None:
    tracks = _tracks(WALK)
    reach = round(EXTENSION_S[Source.PERSON] * tracks.fps)
    masked = [frame for frame in range(100) if masked_boxes(tracks, frame)]
    assert masked == list(range(40 - reach, 50 + reach + 1))
    near, far = masked_boxes(tracks, 39)[0], masked_boxes(tracks, 40 - reach)[0]
    assert far.area > near.area > BODY.area  # where they were before is less certain


def test_mask_of_the_staff_holds_as_drawn() -> None:
    tracks = _tracks(_track(1, Source.STAFF, (40, BODY), (42, BODY)))
    assert [masked_boxes(tracks, frame) for frame in (39, 40, 41, 42, 43)] == [[], [BODY], [BODY], [BODY], []]


def test_cleared_person_is_not_masked_and_others_are() -> None:
    other = _track(2, Source.PERSON, (40, Box(110, 100, 150, 200)))
    tracks = _tracks(WALK, other)
    cleared = masked_boxes(tracks, 40, [Clearing(1, 35, 45)])
    assert cleared == masked_boxes(_tracks(other), 40)
    assert masked_boxes(tracks, 45, [Clearing(1, 35, 45)]) == masked_boxes(tracks, 45)  # the span is half-open


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(-60, 420), st.integers(-60, 320)), min_size=1, max_size=6))
def test_boxes_lie_on_even_pixels_and_the_cover_of_many_frames_agrees_with_one(
    seen: list[tuple[int, int, int]],
) -> None:
    tracks = _tracks(*(_track(n, Source.FACE, (f, Box(x, y, x + 9, y + 11))) for n, (f, x, y) in enumerate(seen)))
    cover = Cover(tracks)
    for frame in range(100):
        found = cover.boxes(frame)
        assert found == masked_boxes(tracks, frame)
        assert all(not any(side % 2 for side in box.sides) and box.left >= 0 and box.right <= 400 for box in found)
        assert len(found) <= sum(abs(f - frame) <= 10 for f, _, _ in seen)


def test_masks_of_the_ends_of_a_clip_stay_in_it() -> None:
    tracks = _tracks(replace(WALK, sightings=(Sighting(0, BODY), Sighting(99, BODY))))
    assert all(_holds(masked_boxes(tracks, frame), BODY) for frame in (0, 50, 99))


def test_face_and_movement_of_a_person_are_cleared_with_them() -> None:
    face = _track(2, Source.FACE, (40, Box(110, 100, 125, 118)), (44, Box(150, 100, 165, 118)))
    moving = _track(3, Source.MOVING, (41, Box(108, 100, 148, 200)))
    stranger = _track(4, Source.PERSON, (40, Box(125, 100, 165, 200)))
    assert together(_tracks(WALK, face, moving, stranger), 1) == {1, 2, 3}
    assert together(_tracks(WALK), 9) == frozenset()
