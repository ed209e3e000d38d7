"""How one person sees an export: whose it is, whether they may approve it, how far it is."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any, cast

import pytest

from api.export.answers import View
from api.export.rows import ExportRow
from api.http.jobs import Progress
from api.sign_in.scope import CameraRow, Scope, SiteRow
from domain.ids import CameraId, SiteId, StaffId
from domain.time import NS, Span

ME, COLLEAGUE = StaffId(uuid.uuid4()), StaffId(uuid.uuid4())
SITE, CAMERA, UNSEEN = SiteId(uuid.uuid4()), CameraId(uuid.uuid4()), CameraId(uuid.uuid4())
FILE = {"name": "1.mp4", "camera": "Lobby", "start": "s", "end": "e", "size_bytes": 5, "sha256": "00", "footage": []}
ROW = ExportRow(
    export_id=uuid.uuid4(),
    staff_id=COLLEAGUE,
    display_name="Colleague",
    purpose_id=uuid.uuid4(),
    category="safety",
    reason="a test",
    camera_ids=(CAMERA,),
    span=Span(0, NS),
    format="zip",
    state="approval",
    attempt=0,
    minor=True,
    masked=False,
    approved_by=None,
    approver=None,
    problem=None,
    ender=None,
    ended_ns=None,
    refusal=None,
    manifest=json.dumps({"files": [FILE]}).encode(),
    signature=None,
    created_ns=2 * NS,
)


def view(*, one_hand: frozenset[StaffId] = frozenset(), at_work: Any = None) -> View:
    camera = CameraRow(camera_id=CAMERA, site_id=SITE, name="Lobby", retention_s=60, removed=False)
    site = SiteRow(site_id=SITE, name="North", time_zone="Europe/Helsinki")
    scope = Scope(sites={SITE: site}, whole_sites=(), cameras={CAMERA: camera}, doors={}, everywhere=False)
    return View(staff_id=ME, scope=scope, one_hand=one_hand, at_work=at_work or {}, key_sha256="ab")


@pytest.mark.parametrize(
    ("asker", "one_hand", "state", "may"),
    [
        (COLLEAGUE, frozenset(), "approval", True),
        (COLLEAGUE, frozenset({COLLEAGUE}), "approval", False),
        (COLLEAGUE, frozenset({StaffId(uuid.uuid4())}), "approval", True),
        (ME, frozenset(), "approval", False),
        (COLLEAGUE, frozenset(), "approved", False),
        (COLLEAGUE, frozenset(), "ready", False),
    ],
)
def test_another_persons_export_may_be_approved_while_it_waits(
    asker: StaffId, one_hand: frozenset[StaffId], state: str, may: bool
) -> None:
    answer = view(one_hand=one_hand).answer(replace(ROW, staff_id=asker, state=state))
    assert answer.may_approve is may
    assert answer.own is (asker == ME)
    assert answer.one_hand is (asker in one_hand)
    assert answer.minor
    assert answer.may_cancel is (asker == ME)


def test_who_ended_it_and_why_is_said() -> None:
    answer = view().answer(replace(ROW, state="refused", ender="Berit", ended_ns=3 * NS, refusal="too long"))
    assert (answer.ended_by, answer.refusal, answer.may_cancel) == ("Berit", "too long", False)
    assert answer.ended is not None and answer.ended.startswith("1970-01-01T00:00:03")
    assert not view().answer(replace(ROW, staff_id=ME, state="refused")).may_cancel


@pytest.mark.parametrize(
    ("asker", "cameras", "concerns"),
    [(ME, (UNSEEN,), True), (COLLEAGUE, (CAMERA,), True), (COLLEAGUE, (CAMERA, UNSEEN), False)],
)
def test_export_of_another_camera_is_not_seen(asker: StaffId, cameras: tuple[CameraId, ...], concerns: bool) -> None:
    assert view().concerns(replace(ROW, staff_id=asker, camera_ids=cameras)) is concerns


def test_what_nobody_makes_any_more_was_interrupted() -> None:
    row = replace(ROW, state="working")
    assert view().answer(row).state == "interrupted"
    at_work = {ROW.export_id: Progress(done=3, total=9)}
    answer = view(at_work=at_work).answer(row)
    assert (answer.state, answer.done_bytes, answer.total_bytes, answer.files) == ("working", 3, 9, [])


def test_files_are_listed_once_it_is_ready() -> None:
    (file,) = view().answer(replace(ROW, state="ready")).files
    assert file.model_dump() == {name: value for name, value in FILE.items() if name != "footage"}
    assert view().answer(replace(ROW, state="ready", manifest=None)).files == []


def test_camera_that_is_out_of_sight_has_no_name() -> None:
    answer = view().answer(replace(ROW, camera_ids=(CAMERA, UNSEEN)))
    assert [each.name for each in answer.cameras] == ["Lobby", "–"]
    assert answer.time_zone == "Europe/Helsinki"
    assert view().answer(replace(ROW, camera_ids=(UNSEEN,))).time_zone == "UTC"
    assert cast("str", answer.start).startswith("1970-01-01T00:00:00")
