"""What is under way when a person is erased: it comes before the erasure, and goes with it, or leaves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import httpx
import pytest

from tests.integration.api.conftest import Client, Office
from tests.integration.api.gym import Gym, open_gym

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


@pytest.fixture
async def admin(office: Office, gym: Gym) -> Client:
    client = await office.signed_in("admin")
    await client.state_purpose()
    return client


async def checked(admin: Client, gym: Gym) -> str:
    """The path of a request for erasure, whose asker was checked."""
    body = {"member_id": str(gym.aino), "kind": "erasure", "channel": "desk", "details": ""}
    path = f"/v1/requests/{(await admin.post('/v1/requests', json=body)).json()['request_id']}"
    assert (await admin.post(f"{path}/identify", json={"text": "a passport"})).status_code == 200
    return path


async def overtaken(office: Office, path: str, work: Awaitable[httpx.Response]) -> httpx.Response:
    """The answer to what began before the person's erasure was over, and waited for it."""
    async with office.owner.transaction():
        assert await office.owner.fetchval("SELECT erase_person($1, $2)", path.rpartition("/")[2], 1)
        task = asyncio.ensure_future(work)
        await asyncio.sleep(0.5)
        assert not task.done()
    return await task


@pytest.mark.parametrize("what", ["fields", "consent", "request"])
async def test_what_was_under_way_leaves_nothing_of_an_erased_person(
    office: Office, gym: Gym, admin: Client, what: str
) -> None:
    path = await checked(admin, gym)
    work = {
        "fields": ("PUT", f"/v1/register/{gym.aino}", {"fields": {"phone": "0401112223", "name": "Aino Late"}}),
        "consent": ("POST", f"/v1/register/{gym.aino}/consents", {"purpose": "Aino's newsletter", "how": "paper"}),
        "request": (
            *("POST", "/v1/requests"),
            {"member_id": str(gym.aino), "kind": "access", "channel": "desk", "details": "I am Aino."},
        ),
    }[what]
    method, target, body = work
    answer = await overtaken(office, path, (admin.put if method == "PUT" else admin.post)(target, json=body))
    assert answer.status_code == 404, answer.text
    for table in ("member_field", "member_consent", "member_identity"):
        assert await office.owner.fetchval(f"SELECT count(*) FROM {table} WHERE member_id = $1", gym.aino) == 0, table
    assert await office.owner.fetchval("SELECT count(*) FROM member_request WHERE details <> ''") == 0
    entries = [each["action"] for each in await office.audit()]
    assert not {"register_changed", "consent_given"} & set(entries) and entries.count("request_received") == 1


async def test_request_that_erased_a_person_is_neither_refused_nor_taken_back(
    office: Office, gym: Gym, admin: Client
) -> None:
    path = await checked(admin, gym)
    assert (await admin.post(f"{path}/erase-person")).status_code == 200
    assert (await admin.post(f"{path}/refuse", json={"text": "no"})).status_code == 409
    assert (await admin.post(f"{path}/withdraw")).status_code == 409
    assert (await admin.post(f"{path}/answer", json={"text": "Done."})).json()["state"] == "answered"


async def test_whole_register_taken_out_is_a_look_at_each_member(office: Office, gym: Gym, admin: Client) -> None:
    assert (await admin.get("/v1/register.csv")).status_code == 200
    for member_id in (gym.aino, gym.onni):
        told = (await admin.get(f"/v1/members/{member_id}/looks")).json()["looks"]
        assert [(each["kind"], each["purpose"]) for each in told] == [("register", "incident")]
