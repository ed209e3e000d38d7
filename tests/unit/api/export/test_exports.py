"""A list of exports is on record once for each export that a session is shown, not once a second."""

from __future__ import annotations

import uuid

import pytest

from api.export import exports as module
from api.export.exports import Listed
from domain.ids import SessionId
from domain.time import MINUTE_NS

ONE, TWO = SessionId(uuid.uuid4()), SessionId(uuid.uuid4())
A, B = sorted((uuid.uuid4(), uuid.uuid4()))


def test_export_that_was_shown_is_on_record_for_that_session_for_a_while() -> None:
    listed = Listed()
    assert listed.unrecorded(ONE, [B, A], 0) == [A, B]
    listed.add(ONE, [A], 0)
    assert listed.unrecorded(ONE, [A, B], 1) == [B]
    listed.add(ONE, [B], 14 * MINUTE_NS)
    assert listed.unrecorded(ONE, [A, B], 15 * MINUTE_NS - 1) == []
    assert listed.unrecorded(ONE, [A, B], 15 * MINUTE_NS) == [A, B]
    assert listed.unrecorded(TWO, [A], 1) == [A]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SESSIONS_KEPT", 2)
    listed = Listed()
    sessions = [SessionId(uuid.uuid4()) for _ in range(3)]
    for each in sessions:
        listed.add(each, [A], 0)
    assert [listed.unrecorded(each, [A], 1) == [] for each in sessions] == [False, True, True]
