"""Notices survive the journal: JSON and back gives the same notice."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from alarms.conditions import Kind
from alarms.state.notice import Change, Line, Notice, line_of, notice_of

LINE = Line(kind=Kind.CAMERA, subject="Entrance", what="No pictures.", remedy="Restart it.", since_ns=5)
NOTICE = Notice(
    notice_id="i.1",
    change=Change.RAISED,
    incident="i",
    at_ns=9,
    since_ns=5,
    lines=(LINE,),
    also=(replace(LINE, kind=Kind.DOOR, subject="front", cleared_ns=8),),
)


@pytest.mark.parametrize("change", list(Change))
def test_json_and_back_is_the_same(change: Change) -> None:
    notice = replace(NOTICE, change=change, follows=(LINE, LINE))
    assert notice_of(json.loads(json.dumps(notice.as_json()))) == notice
    assert line_of(json.loads(json.dumps(NOTICE.as_json()))["also"][0]) == NOTICE.also[0]


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data.pop("lines"),
        lambda data: data.update(change="shouted"),
        lambda data: data.update(more=1),
        lambda data: data["lines"][0].update(kind="weather"),
        lambda data: data["lines"][0].pop("what"),
        lambda data: data.update(lines=3),
    ],
)
def test_damaged_notices_are_refused(harm: Any) -> None:
    data = json.loads(json.dumps(NOTICE.as_json()))
    harm(data)
    with pytest.raises((KeyError, TypeError, ValueError)):
        notice_of(data)
