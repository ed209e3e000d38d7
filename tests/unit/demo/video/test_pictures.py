"""People appear after an event and walk away."""

from __future__ import annotations

import numpy as np

from demo.video.canvas import Canvas
from demo.video.pictures import Scene
from domain.access import EventKind
from domain.time import NS

START_NS = 1_795_000_000_120_000_000


def test_people_walk_for_some_seconds_after_an_event_and_are_gone() -> None:
    scene, canvas = Scene(1, "Hall", (640, 360)), Canvas(640, 360)
    scene.draw(canvas, START_NS)
    empty = canvas.luma.copy()
    scene.react(EventKind.GRANTED, 1, START_NS)
    scene.draw(canvas, START_NS)
    assert scene.walking == 0
    scene.react(EventKind.ENTERED, 2, START_NS)
    scene.draw(canvas, START_NS + 3 * NS)
    assert scene.walking == 2
    assert np.count_nonzero(np.abs(canvas.luma[60:].astype(int) - empty[60:]) > 8) > 2000
    scene.draw(canvas, START_NS + 20 * NS)
    assert scene.walking == 0
    assert np.count_nonzero(np.abs(canvas.luma[60:].astype(int) - empty[60:]) > 8) == 0
