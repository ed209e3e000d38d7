"""The marks made by hand: at least twelve frames, within the film, persons of three sizes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.load import people


def test_marks_are_of_the_film() -> None:
    frames = json.loads(people.MARKS.read_text())["frames"]
    boxes = [box for found in frames.values() for box in found]
    assert len(frames) >= 12
    assert all(0 <= left < right <= 768 and 0 <= top < bottom <= 576 for left, top, right, bottom in boxes)
    tall = [bottom - top for _, top, _, bottom in boxes]
    assert min(tall) < 60 < 120 < max(tall)


def test_film_that_is_not_installed_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "_PERSONS", Path("/nowhere/film.avi"))
    assert people.film_of_persons() is None
