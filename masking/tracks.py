"""Tracks: where something was seen over time, and their JSON, which a reviewer's page edits. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from masking.boxes import BOX_MAX, Box
from masking.errors import TracksError

FORMAT: Final = "tallenne-tracks/1"
FRAMES_MAX: Final = 200_000
_TRACKS_MAX: Final = 100_000


class Source(StrEnum):
    """What saw it: a detector, what moves, or a person who looked."""

    FACE = "face"
    PERSON = "person"
    MOVING = "moving"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A box in one frame; frames are counted from 0 in the order in which they are shown."""

    frame: int
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One thing over time: sightings in ascending frames, at least one."""

    track_id: int
    source: Source
    sightings: tuple[Sighting, ...]

    @property
    def first(self) -> int:
        """The frame of the first sighting."""
        return self.sightings[0].frame

    @property
    def last(self) -> int:
        """The frame of the last sighting."""
        return self.sightings[-1].frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """All tracks of a clip, in pixels of pictures of this size."""

    width: int
    height: int
    frames: int
    fps: float
    tracks: tuple[Track, ...]

    def dump(self) -> str:
        """As JSON."""
        found = [
            {
                "id": track.track_id,
                "source": track.source.value,
                "sightings": [[at.frame, *at.box.sides] for at in track.sightings],
            }
            for track in self.tracks
        ]
        head = {"format": FORMAT, "width": self.width, "height": self.height, "frames": self.frames, "fps": self.fps}
        return json.dumps({**head, "tracks": found})

    @classmethod
    def load(cls, text: str | bytes) -> Tracks:
        """From JSON that may come from outside. TracksError: it holds none."""
        try:
            found = json.loads(text)
            if found["format"] != FORMAT:
                raise ValueError
            return _loaded(found)
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            raise TracksError("The masks cannot be read.", "Give the JSON that the detection made.") from exc

    def with_mask(self, sightings: Iterable[Sighting]) -> Tracks:
        """With one more mask, by a person who looked. TracksError: it has no box, or is not of this clip."""
        ordered = tuple(sorted(sightings, key=lambda at: at.frame))
        free = 1 + max((track.track_id for track in self.tracks), default=0)
        made = Track(track_id=free, source=Source.STAFF, sightings=ordered)
        try:
            _check(made, self.frames)
        except ValueError as exc:
            raise TracksError("A mask is not of this clip.", "Name frames of the clip, each once.") from exc
        return replace(self, tracks=(*self.tracks, made))

    def without(self, track_id: int) -> Tracks:
        """Without a mask that hides no person."""
        return replace(self, tracks=tuple(track for track in self.tracks if track.track_id != track_id))


def _loaded(found: Mapping[str, Any]) -> Tracks:
    width, height, frames = (_whole(found[name], 1, most) for name, most in _SIZES)
    fps = float(found["fps"])
    if not 0 < fps <= 1000 or len(found["tracks"]) > _TRACKS_MAX:
        raise ValueError
    tracks = tuple(
        Track(
            track_id=_whole(each["id"], 0, 1 << 31),
            source=Source(each["source"]),
            sightings=tuple(_sighting(*at) for at in each["sightings"]),
        )
        for each in found["tracks"]
    )
    for track in tracks:
        _check(track, frames)
    if len({track.track_id for track in tracks}) < len(tracks):
        raise ValueError
    return Tracks(width=width, height=height, frames=frames, fps=fps, tracks=tracks)


_SIZES: Final = (("width", BOX_MAX), ("height", BOX_MAX), ("frames", FRAMES_MAX))


def _sighting(frame: Any, left: Any, top: Any, right: Any, bottom: Any) -> Sighting:
    sides = (_whole(side, -BOX_MAX, BOX_MAX) for side in (left, top, right, bottom))
    return Sighting(_whole(frame, 0, FRAMES_MAX), Box(*sides))


def _check(track: Track, frames: int) -> None:
    if not track.sightings or track.first < 0 or track.last >= frames:
        raise ValueError
    if any(one.frame >= other.frame for one, other in pairwise(track.sightings)):
        raise ValueError


def _whole(value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError
    return value
