"""Health, metrics and the audit trail as they are read, and that none of them names a person."""

from __future__ import annotations

import json
import logging
import os
import re
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.credentials.accounts import NewGrant
from domain.ids import CameraId
from ingest.health import Health
from storage.catalogue.camera_health import save_health
from tests.integration.api.conftest import Office
from tests.integration.api.gym import (
    FRONT,
    LOBBY,
    NORTH,
    SOUTH_CAMERA,
    Gym,
    open_gym,
)
from tests.support.api.looks import looking, span

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


async def test_audit_read_by_auditors_and_itself_on_record(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    await client.get("/v1/members", params={"query": "1042"})
    assert (await client.get("/v1/audit")).status_code == 404
    auditor = await office.signed_in("auditor")
    page = (await auditor.get("/v1/audit", params={"member": str(gym.aino)})).json()
    assert [(each["action"], each["purpose"], each["member_number"]) for each in page["entries"]] == [
        ("search_members", "incident", "1042")
    ]
    page = (await auditor.get("/v1/audit", params={"limit": 2})).json()
    assert page["entries"][0]["action"] == "audit_read"
    older = (await auditor.get("/v1/audit", params={"limit": 2, "before": page["next"]})).json()
    assert older["entries"][0]["seq"] == page["next"] - 1
    narrow = await office.signed_in(NewGrant(role="auditor", site_id=NORTH))
    await client.get(f"/v1/cameras/{SOUTH_CAMERA}/timeline", params=span(gym))
    await client.get(f"/v1/cameras/{LOBBY}/timeline", params=span(gym))
    page = (await narrow.get("/v1/audit")).json()
    assert {each["camera"] for each in page["entries"]} == {"Lobby"}


@pytest.mark.trust
async def test_reading_the_audit_trail_is_on_record_with_every_member_whom_it_shows(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    await client.get("/v1/members", params={"query": "1042"})
    await client.get("/v1/search/visits", params=span(gym))
    auditor = await office.signed_in("auditor")
    shown: set[str] = set()
    for _ in range(2):
        page = (await auditor.get("/v1/audit")).json()
        for each in page["entries"]:
            shown |= {each["member_id"], *each["detail"].get("members", [])} - {None}
    entry = (await office.audit())[-1]
    assert entry["action"] == "audit_read"
    assert set(json.loads(entry["detail"])["members"]) == shown >= {str(gym.aino)}
    (await auditor.get("/v1/audit", params={"action": "sign_in"})).raise_for_status()
    assert json.loads((await office.audit())[-1]["detail"])["members"] == []
    told = (await auditor.get(f"/v1/members/{gym.aino}/looks")).json()["looks"]
    assert [each["kind"] for each in told].count("audit") == 2


async def test_audit_names_what_its_details_are_about(office: Office, gym: Gym) -> None:
    admin = await office.signed_in("admin")
    auditor = await office.signed_in("auditor")
    name, _ = await office.hire("viewer")
    (found,) = [each for each in (await admin.get("/v1/staff")).json() if each["user_name"] == name]
    hired, named = found["staff_id"], found["display_name"]
    grants = [{"role": "viewer", "site_id": str(NORTH)}, {"role": "exporter", "camera_id": str(SOUTH_CAMERA)}]
    assert (await admin.put(f"/v1/staff/{hired}/grants", json={"grants": grants})).status_code == 200
    page = (await auditor.get("/v1/audit", params={"action": "staff_grants"})).json()
    (entry,) = page["entries"]
    assert entry["detail"]["staff_id"] == hired
    assert page["names"] == {hired: named, str(NORTH): "North", str(SOUTH_CAMERA): "Aula"}


async def test_health_says_a_word_to_all_parts_to_staff_and_roles_to_administrators(office: Office) -> None:
    (office.rooms.parts.run_directory / "index-0.json").write_text(
        json.dumps({"role": "index", "instance": "0", "state": "ready", "updated_ns": 1, "problems": []})
    )
    answer = await office.client().get("/v1/health")
    assert (answer.status_code, answer.json()["state"], set(answer.json())) == (503, "degraded", {"state", "now"})
    assert (await office.client().get("/v1/health/parts")).status_code == 401
    answer = (await (await office.signed_in("viewer")).get("/v1/health/parts")).json()
    assert (answer["state"], answer["parts"]["database"], answer["parts"]["custodian"]) == ("degraded", True, False)
    assert answer["roles"] is None
    seen = (await (await office.signed_in("admin")).get("/v1/health/parts")).json()["roles"]
    assert [(each["role"], each["state"]) for each in seen] == [("index", "ready")]


async def test_metrics_behind_their_token(office: Office, gym: Gym) -> None:
    client = await looking(office, "viewer")
    await client.get(f"/v1/events/{gym.granted}")
    assert (await client.get("/metrics")).status_code == 401
    answer = await client.get("/metrics", headers={"Authorization": "Bearer metrics-for-the-test"})
    assert 'route="/v1/events/{event_id}"' in answer.text
    assert str(gym.granted) not in answer.text


async def test_metrics_tell_each_cameras_health(office: Office, gym: Gym) -> None:
    """What ingest saves is what is told: every figure of Health, by the ingest role's own report."""
    cameras = await gym.owner.fetch("SELECT camera_id, name FROM camera WHERE removed_ns IS NULL ORDER BY camera_id")
    health = Health(
        "any", state="refused", frames=7, lost_packets=3, losses=2, last_error='says "no"', skew_ns=1_500_000_000
    )
    report = health.report(1, 10, 4, 5, 10)
    await save_health(gym.owner, {CameraId(cameras[0]["camera_id"]): report}, time.time_ns())
    answer = await office.client().get("/metrics", headers={"Authorization": "Bearer metrics-for-the-test"})
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    told = {
        name.removeprefix("tallenne_camera_"): sample
        for name, family in families.items()
        for sample in family.samples
        if sample.labels.get("camera_id") == str(cameras[0]["camera_id"])
    }
    wanted = {"lost_packets": 3, "losses": 2, "frames": 7, "segments": 4, "gaps": 5, "skew_seconds": 1.5}
    assert {key: told[key].value for key in wanted} == wanted
    assert told["state"].labels["state"] == "refused"
    assert told["error"].labels["error"] == 'says "no"'
    assert {"bits_per_second", "frames_per_second", "clock_jumps", "connections", "forced_cuts"} <= told.keys()
    states = {sample.labels["camera"]: sample.labels["state"] for sample in families["tallenne_camera_state"].samples}
    assert set(states) == {row["name"] for row in cameras}


async def test_metrics_tell_the_numbers_of_the_roles_and_no_word(office: Office) -> None:
    """Lag and counters of the indexer; what a problem says stays with `tallenne status`."""
    said = {"role": "index", "instance": "0", "pid": os.getpid(), "state": "degraded", "updated_ns": 5_500_000_000}
    said |= {"problems": [{"what": "Door Backyard", "remedy": "x"}], "committed": 12, "outbox_oldest_s": 0.25}
    said |= {"subscribed": True, "odd name": 1, "cameras": {"Backyard": 1}}
    (office.rooms.parts.run_directory / "index-0.json").write_text(json.dumps(said))
    (office.rooms.parts.run_directory / "broken-0.json").write_text("{")
    client = office.client()
    answer = await client.get("/metrics", headers={"Authorization": "Bearer metrics-for-the-test"})
    lines = answer.text.splitlines()
    assert 'tallenne_index_committed{instance="0"} 12.0' in lines
    assert 'tallenne_index_outbox_oldest_s{instance="0"} 0.25' in lines
    assert 'tallenne_index_subscribed{instance="0"} 1.0' in lines
    assert 'tallenne_role_ready{instance="0",role="index"} 0.0' in lines
    assert 'tallenne_role_problems{instance="0",role="index"} 1.0' in lines
    assert 'tallenne_role_updated_seconds{instance="0",role="index"} 5.5' in lines
    assert "Backyard" not in answer.text and "odd" not in answer.text and "pid" not in answer.text


async def test_front_door_is_known(gym: Gym) -> None:
    assert await gym.owner.fetchval("SELECT name FROM door WHERE door_id = $1", FRONT) == "Front door"


async def test_metrics_and_logs_name_nobody(office: Office, gym: Gym, caplog: pytest.LogCaptureFixture) -> None:
    """Invariant 8. Control: what is looked for is in the answers themselves."""
    caplog.set_level(logging.DEBUG)
    client = await looking(office, "viewer")
    answers = [
        await client.get("/v1/members", params={"query": "virta"}),
        await client.get("/v1/find", params={"query": "aino"} | span(gym)),
        await client.get(f"/v1/events/{gym.granted}"),
        await client.get("/v1/members", params={"query": "x" * 500}),
    ]
    metrics = await client.get("/metrics", headers={"Authorization": "Bearer metrics-for-the-test"})
    users = [row["user_name"] for row in await office.owner.fetch("SELECT user_name FROM staff")]
    words = ["virta", "aino", "1042", str(gym.aino), *users]
    assert {"virta", "aino", "1042"} <= {word for word in words if word in answers[0].text.lower()}
    told = metrics.text.lower() + _logged(caplog)
    assert "tallenne" in metrics.text
    # The member's number within a longer one is a measured time.
    assert [word for word in words if re.search(rf"(?<![\d.]){re.escape(word.lower())}(?!\d)", told)] == []


def _logged(caplog: pytest.LogCaptureFixture) -> str:
    """Of ours: the client in this process logs the addresses that it asks for, as a browser's history has them."""
    return "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore", "asyncio"))
    ).lower()
