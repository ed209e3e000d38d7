"""Which spans of an entry count as footage: the rest is in tests/integration/api/audit/test_breach.py."""

from __future__ import annotations

import uuid
from dataclasses import replace

from domain.ids import CameraId
from domain.time import Span
from paper.exposed import How
from pipeline.paper.breach import _how, _spans
from storage.access import Exposed
from storage.access.exposure import EXPOSING

CAMERA = CameraId(uuid.uuid4())
LOOK = Exposed(
    seq=1, at_ns=5, actor="staff:x", person="X", action="look", purpose=None, members=(), cameras=(CAMERA,),
    span=Span(1, 2),
)  # fmt: skip


def test_spans_are_of_footage_alone() -> None:
    assert _spans([LOOK, replace(LOOK, action="timeline"), replace(LOOK, span=None)]) == {CAMERA: [Span(1, 2)]}


def test_each_action_is_of_one_kind() -> None:
    assert {action: _how(action) for action in ("look_live", "export_fetched", "find", "disclosure")} == {
        "look_live": How.FOOTAGE,
        "export_fetched": How.EXPORT,
        "find": How.SEARCH,
        "disclosure": How.RECORDS,
    }
    assert {_how(action) for action in EXPOSING} == set(How)
