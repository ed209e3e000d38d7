"""People appear after an event and walk away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from demo.traffic import HELD_S
from demo.video.canvas import Canvas
from demo.video.pictures import Report, Scene
from domain.access import EventKind
from domain.time import NS

START_NS = 1_795_000_000_120_000_000


def test_people_walk_for_some_seconds_after_an_event_and_are_gone() -> None:
    scene, canvas = Scene(1, "Hall", (640, 360)), Canvas(640, 360)
    scene.draw(canvas, START_NS)
    empty = canvas.luma.copy()
    scene.react(Report(kind=EventKind.GRANTED, at_ns=START_NS, people=1))
    scene.draw(canvas, START_NS)
    assert scene.walking == 0
    scene.react(Report(kind=EventKind.ENTERED, at_ns=START_NS, people=2))
    scene.draw(canvas, START_NS + 3 * NS)
    assert scene.walking == 2
    assert np.count_nonzero(np.abs(canvas.luma[60:].astype(int) - empty[60:]) > 8) > 2000
    scene.draw(canvas, START_NS + 20 * NS)
    assert scene.walking == 0
    assert np.count_nonzero(np.abs(canvas.luma[60:].astype(int) - empty[60:]) > 8) == 0


def seen(reports: Sequence[Report], *, camera: int, after_s: float) -> tuple[Scene, npt.NDArray[np.uint8]]:
    """A camera's picture some seconds after START_NS."""
    scene, canvas = Scene(camera, "Hall", (640, 360)), Canvas(640, 360)
    for report in reports:
        scene.react(report)
    scene.draw(canvas, START_NS + round(after_s * NS))
    return scene, np.dstack([canvas.u, canvas.v])


def colours(picture: npt.NDArray[np.uint8]) -> set[tuple[int, int]]:
    """Those that cover a body's part of it."""
    found, counts = np.unique(picture.reshape(-1, 2), axis=0, return_counts=True)
    return {(int(u), int(v)) for (u, v), count in zip(found, counts, strict=True) if count > 200}


def worn(person: int, camera: int, people: int = 1) -> set[tuple[int, int]]:
    """What is in the picture only while somebody walks: clothes, skin and trousers."""
    report = Report(kind=EventKind.ENTERED, at_ns=START_NS, person=person, people=people)
    return colours(seen([report], camera=camera, after_s=4)[1]) - colours(seen([], camera=camera, after_s=4)[1])


def test_two_cameras_of_a_door_show_the_same_people_from_two_sides() -> None:
    for person in range(20):
        first, second = worn(person, 1), worn(person, 2)
        assert first == second
        assert first != worn(person + 100, 1)
    report = Report(kind=EventKind.ENTERED, at_ns=START_NS, person=3, people=1)
    pictures = [seen([report], camera=camera, after_s=4)[1] for camera in (1, 2)]
    assert np.count_nonzero((pictures[0] != pictures[1]).any(axis=2)) > 1000


def test_held_door_stays_open_and_a_second_person_goes_through() -> None:
    held_ns = START_NS + round(HELD_S * NS)
    entered = Report(kind=EventKind.ENTERED, at_ns=START_NS, person=7, people=1, held=True)
    held = Report(kind=EventKind.HELD_OPEN, at_ns=held_ns, person=7, people=1)
    scene, canvas = Scene(1, "Hall", (640, 360)), Canvas(640, 360)
    left, top, right, _ = scene._door
    walking = set()
    scene.react(entered)
    for tenth in range(10, 170):
        if tenth == 80:
            scene.react(held)
        scene.draw(canvas, START_NS + tenth * NS // 10)
        walking.add(scene.walking)
        outside = canvas.luma[top + 2 : top + 10, (left + right) // 2 : right - 2]
        assert outside.mean() > 190, tenth  # above everybody's head
    assert walking == {0, 1}  # one after the other
    assert worn(7, 1) != worn_behind(7)


def worn_behind(person: int) -> set[tuple[int, int]]:
    report = Report(kind=EventKind.HELD_OPEN, at_ns=START_NS, person=person, people=1)
    return colours(seen([report], camera=1, after_s=4)[1]) - colours(seen([], camera=1, after_s=4)[1])
