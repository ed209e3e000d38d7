"""What counts as a whole clip, in whatever pieces and order it was sent."""

from __future__ import annotations

import random
import uuid
from typing import Any, cast

import pytest

from api.footage import sent as module
from api.footage.cache import ClipRequest
from api.footage.sent import Sent
from domain.time import Span


def clip(number: int = 1, session: int = 1) -> ClipRequest:
    ids: Any = uuid.UUID(int=session)
    camera = cast("Any", uuid.UUID(int=number))
    return ClipRequest(session_id=ids, purpose_id=ids, action="look", camera_id=camera, span=Span(0, 1))


@pytest.mark.parametrize(("end", "whole"), [(0, False), (899, False), (900, True), (1000, True)])
def test_nine_tenths_are_the_whole(end: int, whole: bool) -> None:
    assert Sent().add(clip(), 1000, 0, end) is whole


def test_it_is_said_once() -> None:
    sent = Sent()
    assert [sent.add(clip(), 10, 0, 10) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("seed", range(20))
def test_pieces_count_once_in_any_order(seed: int) -> None:
    dice = random.Random(seed)
    pieces = [(at, min(at + dice.randint(1, 90), 1000)) for at in (dice.randrange(1000) for _ in range(200))]
    sent, seen = Sent(), set[int]()
    said = False
    for start, end in pieces:
        seen |= set(range(start, end))
        whole = sent.add(clip(), 1000, start, end)
        assert whole is (not said and len(seen) >= 900)
        said |= whole


def test_clips_and_sessions_count_apart() -> None:
    sent = Sent()
    assert not sent.add(clip(1), 10, 0, 8)
    assert not sent.add(clip(2), 10, 8, 10)
    assert not sent.add(clip(1, session=2), 10, 8, 10)
    assert sent.add(clip(1), 10, 8, 10)


def test_clip_that_has_changed_counts_anew() -> None:
    sent = Sent()
    assert not sent.add(clip(), 10, 0, 8)
    assert not sent.add(clip(), 11, 8, 10)


def test_what_could_not_be_recorded_counts_anew() -> None:
    sent = Sent()
    assert sent.add(clip(), 10, 0, 10)
    sent.forget(clip())
    assert sent.add(clip(), 10, 0, 10)


def test_what_was_sent_last_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLIPS_MAX", 3)
    sent = Sent()
    for number in (1, 2, 3, 1, 4):
        sent.add(clip(number), 10, 0, 5)
    assert [sent.add(clip(number), 10, 5, 10) for number in (1, 3, 4)] == [True] * 3
    assert not sent.add(clip(2), 10, 5, 10)


def test_memory_of_clips_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLIPS_MAX", 3)
    sent = Sent()
    for number in range(10):
        sent.add(clip(number), 10, 0, 5)
    assert not sent.add(clip(0), 10, 5, 10)  # its beginning is forgotten
    assert sent.add(clip(9), 10, 5, 10)
