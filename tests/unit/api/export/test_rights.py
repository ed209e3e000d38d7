"""Who may export a camera, and what is refused."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, cast

import pytest

from api.export.rights import approval_needed, may_export, one_hand
from api.http.problems import Problem
from api.sign_in.rights import Grant
from api.sign_in.scope import CameraRow
from domain.ids import CameraId, SiteId

SITE, OTHER_SITE = SiteId(uuid.uuid4()), SiteId(uuid.uuid4())
CAMERA, OTHER_CAMERA = CameraId(uuid.uuid4()), CameraId(uuid.uuid4())


@dataclass
class Person:
    grants: tuple[Grant, ...]


def allowed(*grants: tuple[str, uuid.UUID | None, uuid.UUID | None]) -> bool:
    person = Person(tuple(Grant(role=role, site_id=site, camera_id=camera) for role, site, camera in grants))
    camera = CameraRow(camera_id=CAMERA, site_id=SITE, name="Lobby", retention_s=60, removed=False)
    try:
        may_export(cast("Any", person), camera)
    except Problem as problem:
        assert (problem.status, problem.code) == (404, "not-found")
        return False
    return True


@pytest.mark.parametrize("role", ["viewer", "admin", "auditor", ""])
def test_only_exporters_export(role: str) -> None:
    assert allowed(("exporter", None, None))
    assert not allowed((role, None, None))
    assert not allowed()


@pytest.mark.parametrize(
    ("site", "camera", "may"),
    [
        (None, None, True),
        (SITE, None, True),
        (None, CAMERA, True),
        (SITE, CAMERA, True),
        (OTHER_SITE, None, False),
        (None, OTHER_CAMERA, False),
        (SITE, OTHER_CAMERA, False),
        (OTHER_SITE, CAMERA, False),
    ],
)
def test_grant_counts_at_its_own_site_and_camera(site: uuid.UUID | None, camera: uuid.UUID | None, may: bool) -> None:
    assert allowed(("exporter", site, camera)) is may
    assert not allowed(("viewer", site, camera))


def test_two_grants_do_not_add_up_to_a_third_one() -> None:
    assert not allowed(("viewer", SITE, None), ("exporter", OTHER_SITE, None))


def test_refusals_say_what_to_do() -> None:
    said = [(each.status, each.code, bool(each.remedy)) for each in (approval_needed(), one_hand())]
    assert said == [(403, "approval-needed", True), (403, "one-hand", True)]
