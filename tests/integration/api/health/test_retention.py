"""The retention page's facts: what is kept and until when, what waits, what was certified; for those who may know."""

from __future__ import annotations

import json
import os
import time
import uuid

import pytest

from domain.time import HOUR_NS, hour_of
from tests.integration.api.conftest import Office
from tests.unit.storage.catalogue.test_certificates import chain

pytestmark = pytest.mark.services

HELD = {"topic": "retention", "what": "Nothing expires: the clock is ahead.", "remedy": "Look.", "since_ns": 1}


def custodian(office: Office) -> None:
    status = {
        "role": "custodian",
        "instance": "0",
        "pid": os.getpid(),
        "state": "degraded",
        "period_s": 1,
        "updated_ns": time.time_ns(),
        "updated_mono_ns": time.monotonic_ns(),
        "problems": [HELD, {**HELD, "topic": "hour keys"}],
        "retention": {"overdue_s": 7200},
    }
    (office.rooms.parts.run_directory / "custodian-0.json").write_text(json.dumps(status))


async def test_page_says_what_is_kept_what_waits_and_what_has_ended(office: Office) -> None:
    hour_ns = hour_of(time.time_ns()) - 3 * HOUR_NS
    for number, certificate in enumerate(chain(3), start=1):
        await office.owner.execute(
            "INSERT INTO certificate VALUES ($1, 'expiry', $2, $3, $4)",
            *(number, certificate.body, certificate.signature, certificate.issued_ns),
        )
    await office.owner.execute(
        "INSERT INTO expired_key VALUES ($1, $2, $3, $4, $4, 5, 500, $4, $4, $4, 1, NULL)",
        *(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), hour_ns),
    )
    client = await office.signed_in("auditor")
    custodian(office)  # now: a status older than three seconds is not known
    page = (await client.get("/v1/retention")).json()
    assert (page["known"], page["overdue_s"]) == (True, 7200)
    assert [one["what"] for one in page["waiting"]] == ["Nothing expires: the clock is ahead."]
    assert (page["expired_camera_hours"], page["to_remove_camera_hours"]) == (1, 1)
    assert [one["number"] for one in page["certificates"]] == [3, 2, 1]
    assert len(page["cameras"]) == await office.owner.fetchval("SELECT count(*) FROM camera")


async def test_silent_custodian_is_said_to_be_unknown(office: Office) -> None:
    page = (await (await office.signed_in("admin")).get("/v1/retention")).json()
    assert (page["known"], page["waiting"]) == (False, [])
