"""Each person's wall: remembered for them alone, cut to what they may see."""

from __future__ import annotations

import uuid

import pytest

from api.credentials.accounts import NewGrant
from tests.integration.api.conftest import Office
from tests.integration.api.gym import CORRIDOR, LOBBY, NORTH, SOUTH, SOUTH_CAMERA, open_gym

pytestmark = pytest.mark.services
ANYBODY = uuid.UUID(int=3)


def body(*cameras: uuid.UUID) -> dict[str, list[str]]:
    return {"camera_ids": [str(each) for each in cameras]}


async def test_wall_is_remembered_for_its_person_and_forgotten(office: Office) -> None:
    await open_gym(office.owner, office.clock.now_ns)
    anna, berit = await office.signed_in("viewer"), await office.signed_in("viewer")
    assert (await anna.get("/v1/live/walls")).json() == []
    for cameras in ((LOBBY,), (LOBBY, CORRIDOR), (CORRIDOR, LOBBY)):
        assert (await anna.put(f"/v1/live/walls/{NORTH}", json=body(*cameras))).status_code == 204
        assert (await anna.get("/v1/live/walls")).json() == [{"site_id": str(NORTH), **body(*cameras)}]
    assert (await berit.get("/v1/live/walls")).json() == []
    assert (await anna.put(f"/v1/live/walls/{NORTH}", json=body())).status_code == 204
    assert (await anna.get("/v1/live/walls")).json() == []


async def test_wall_holds_cameras_of_its_site_that_the_person_may_see(office: Office) -> None:
    await open_gym(office.owner, office.clock.now_ns)
    here = await office.signed_in(NewGrant(role="viewer", site_id=NORTH))
    everywhere = await office.signed_in("viewer")
    for site, cameras, status in (
        (SOUTH, (SOUTH_CAMERA,), 404),
        (NORTH, (LOBBY, SOUTH_CAMERA), 404),
        (NORTH, (ANYBODY,), 404),
        (ANYBODY, (), 404),
        (NORTH, (LOBBY, LOBBY), 422),
        (NORTH, [ANYBODY] * 17, 422),
    ):
        assert (await here.put(f"/v1/live/walls/{site}", json=body(*cameras))).status_code == status
    assert (await everywhere.put(f"/v1/live/walls/{NORTH}", json=body(SOUTH_CAMERA))).status_code == 422
    assert await office.owner.fetchval("SELECT count(*) FROM staff_wall") == 0


async def test_camera_that_was_withdrawn_leaves_the_wall(office: Office) -> None:
    await open_gym(office.owner, office.clock.now_ns)
    client = await office.signed_in(
        NewGrant(role="viewer", camera_id=LOBBY), NewGrant(role="viewer", camera_id=CORRIDOR)
    )
    assert (await client.put(f"/v1/live/walls/{NORTH}", json=body(CORRIDOR, LOBBY))).status_code == 204
    await office.owner.execute("DELETE FROM staff_grant WHERE camera_id = $1", CORRIDOR)
    assert (await client.get("/v1/live/walls")).json() == [{"site_id": str(NORTH), **body(LOBBY)}]
