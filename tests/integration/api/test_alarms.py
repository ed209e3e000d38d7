"""What pages ask for their banner: all staff learn the kinds, administrators the things, strangers nothing."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest

from api.sign_in.sessions import IDLE_NS
from domain.time import NS
from tests.integration.api.conftest import Office

pytestmark = pytest.mark.services


def notify(office: Office, *, age_s: float = 0, **more: Any) -> None:
    """What the notify role says of itself."""
    status = {
        "role": "notify",
        "instance": "0",
        "pid": os.getpid(),
        "state": "ready",
        "period_s": 1,
        "updated_ns": time.time_ns(),
        "updated_mono_ns": time.monotonic_ns() - int(age_s * NS),
        "problems": [],
        **more,
    }
    (office.rooms.parts.run_directory / "notify-0.json").write_text(json.dumps(status))


CAMERA = {"kind": "camera", "what": "Camera Hall is away.", "remedy": "Look.", "since_ns": NS, "urgent": False}


@pytest.mark.parametrize("role", ["viewer", "exporter", "auditor", "admin"])
async def test_all_staff_learn_what_is_raised(office: Office, role: str) -> None:
    client = await office.signed_in(role)  # before: a status older than three seconds is not known
    notify(office, raised=[CAMERA])
    answer = (await client.get("/v1/alarms")).json()
    (kind,) = answer["raised"]
    assert (answer["watched"], kind["kind"], kind["count"]) == (True, "camera", 1)
    assert [one["what"] for one in kind["conditions"]] == (["Camera Hall is away."] if role == "admin" else [])


async def test_what_is_over_is_not_said_to_be_wrong_now(office: Office) -> None:
    client = await office.signed_in("admin")  # before: a status older than three seconds is not known
    notify(office, raised=[CAMERA, {**CAMERA, "what": "Camera Door is away.", "over_since_ns": 2 * NS}])
    answer = (await client.get("/v1/alarms")).json()
    assert [one["what"] for kind in answer["raised"] for one in kind["conditions"]] == ["Camera Hall is away."]


async def test_strangers_learn_nothing(office: Office) -> None:
    notify(office, raised=[CAMERA])
    assert (await office.client().get("/v1/alarms")).status_code == 401


@pytest.mark.parametrize("how", ["missing", "old"])
async def test_silent_role_is_not_taken_for_all_clear(office: Office, how: str) -> None:
    if how == "old":
        notify(office, age_s=5, raised=[CAMERA])
    answer = (await (await office.signed_in("viewer")).get("/v1/alarms")).json()
    assert (answer["watched"], answer["raised"]) == (False, [])
    assert (answer["silent_since"] is None) == (how == "missing")


async def test_asking_does_not_keep_a_session_alive(office: Office) -> None:
    client = await office.signed_in("viewer")
    for _ in range(4):
        office.clock.now_ns += IDLE_NS // 5
        assert (await client.get("/v1/alarms")).status_code == 200
    office.clock.now_ns += IDLE_NS // 4
    assert (await client.get("/v1/alarms")).status_code == 401
