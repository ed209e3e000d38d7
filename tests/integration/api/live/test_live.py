"""Live looks through the whole way: session, purpose, camera, custodian, role; what is not recorded shows nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from api.credentials.accounts import NewGrant
from api.live.room import LiveRoom
from api.live.streaming import HEAD, NO_LOOK
from custodian.live_looks import LIVE_BEFORE_NS, LIVE_FOR_NS
from domain.time import NS
from live import role
from live.client import LiveClient
from live.protocol import Kind
from live.settings import SOCKET, LiveSettings
from tests.conftest import Database
from tests.integration.api.conftest import Client, Office, sign_in
from tests.integration.api.gym import CORRIDOR, LOBBY, NORTH, SIDE, SOUTH, SOUTH_CAMERA, Gym, open_gym
from tests.support.footage.custodian import custodian, custodian_settings
from tests.support.live import ME, Camera, until

pytestmark = pytest.mark.services
ENTRIES = "SELECT * FROM audit_entry WHERE action LIKE 'look_live%' ORDER BY seq"


@contextlib.asynccontextmanager
async def watched(office: Office, database: Database, directory: Path) -> AsyncIterator[Gym]:
    """The gym's lobby sends pictures; a custodian and the role `live` run."""
    gym = await open_gym(office.owner, office.clock.now_ns)
    run, stop = directory / "run", asyncio.Event()
    office.rooms = replace(office.rooms, live=LiveRoom(client=LiveClient(run, ME), turn=None))
    settings = LiveSettings(run_directory=run, custodian_socket=run / "custodian.sock", viewer_uids=ME, feeder_uids=ME)
    async with (
        custodian(custodian_settings(database.custodian, directory, live_uids=(os.geteuid(),))),
        Camera(LOBBY).sending(run),
    ):
        task = asyncio.create_task(role.run(settings, stop))
        await until((run / SOCKET).exists)
        try:
            yield gym
        finally:
            stop.set()
            await task


class Watching:
    """A request whose answer is read as it comes. httpx's transport would wait for its end."""

    def __init__(self, office: Office, client: Client, body: Any, **headers: str) -> None:
        self.status, self.told, self.pictures, self.held = 0, [], 0, b""
        self.gone = asyncio.Event()
        self._sent = False
        self._body = json.dumps(body).encode()
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        given = {
            "host": "tallenne.test", "cookie": cookie, "content-type": "application/json",
            "x-csrf-token": client.csrf, "tallenne-purpose": client.purpose, **headers,
        }  # fmt: skip
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https",
            "path": "/v1/live", "raw_path": b"/v1/live", "query_string": b"", "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("192.0.2.7", 50000), "server": ("tallenne.test", 443),
        }  # fmt: skip
        app: Any = office.asgi()
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.held += message.get("body", b"")
        while self.status == 200 and len(self.held) >= HEAD.size:
            kind, look, size = HEAD.unpack_from(self.held)
            if len(self.held) < HEAD.size + size:
                return
            body, self.held = self.held[HEAD.size : HEAD.size + size], self.held[HEAD.size + size :]
            if kind == Kind.MESSAGE and look != NO_LOOK:
                self.told.append(json.loads(body))
            self.pictures += kind == Kind.FRAGMENT

    async def end(self) -> None:
        self.gone.set()
        async with asyncio.timeout(10):
            await self.task


def body(*cameras: Any) -> dict[str, Any]:
    return {"cameras": [{"camera_id": str(each)} for each in cameras]}


async def test_each_look_is_an_entry_of_its_own_and_ends_with_the_answer(
    office: Office, database: Database, tmp_path: Path
) -> None:
    async with watched(office, database, tmp_path) as gym:
        client = await office.signed_in("viewer")
        purpose = await client.state_purpose()
        for number in (1, 2):  # the very same request again is a look of its own
            watching = Watching(office, client, body(LOBBY))
            await until(lambda seen=watching: seen.pictures > 5)
            entries = await office.owner.fetch(ENTRIES)
            assert len(entries) == number
            await watching.end()
        entry = entries[-1]
        assert (entry["action"], entry["camera_id"], str(entry["purpose_id"])) == ("look_live", LOBBY, purpose)
        assert entry["end_ns"] - entry["start_ns"] == LIVE_BEFORE_NS + LIVE_FOR_NS
        # A member who is tagged in that minute sees the look, and not who looked.
        event = await gym.event("granted", entry["start_ns"], member=gym.aino, direction="in")
        await office.owner.execute(
            "INSERT INTO tag (event_id, camera_id, segment_id, segment_start_ns, start_ns, end_ns)"
            " VALUES ($1, $2, $1, $3, $3, $4)",
            event, LOBBY, entry["start_ns"], entry["end_ns"],
        )  # fmt: skip
        auditor = await office.signed_in("auditor")
        found = (await auditor.get(f"/v1/members/{gym.aino}/looks")).json()["looks"]
        assert [(look["kind"], look["camera"]) for look in found if look["kind"] == "live"] == [("live", "Lobby")] * 2


async def test_what_may_not_be_seen_is_neither_shown_nor_reached(
    office: Office, database: Database, tmp_path: Path
) -> None:
    async with watched(office, database, tmp_path):
        client = await office.signed_in(NewGrant(role="viewer", site_id=NORTH, camera_id=LOBBY))
        await client.state_purpose()
        other = await office.signed_in("viewer")
        others = await other.state_purpose()
        stranger = await office.signed_in(NewGrant(role="viewer", site_id=SOUTH))
        await stranger.state_purpose()
        auditor = await office.signed_in("auditor")
        auditor.purpose = client.purpose
        for who, asked, headers, status in (
            (client, body(CORRIDOR), {}, 404),
            (client, body(LOBBY, SOUTH_CAMERA), {}, 404),
            (stranger, body(LOBBY), {}, 404),
            (auditor, body(LOBBY), {}, 404),
            (client, body(LOBBY), {"tallenne-purpose": others}, 403),  # another session's
            (client, body(LOBBY), {"x-csrf-token": other.csrf}, 403),
            (office.client(), body(LOBBY), {}, 401),
            (client, body(LOBBY), {"sec-fetch-site": "cross-site"}, 403),
            (client, body(*[LOBBY] * 17), {}, 422),
            (client, {"cameras": []}, {}, 422),
        ):
            watching = Watching(office, who, asked, **headers)
            await watching.end()
            assert (watching.status, watching.pictures) == (status, 0), (asked, headers, watching.held)
        assert await office.owner.fetch(ENTRIES) == []
        watching = Watching(office, client, body(LOBBY))  # control
        await until(lambda: watching.pictures)
        await watching.end()


@pytest.mark.parametrize("how", ["sign-out", "grant", "camera", "disabled"])
async def test_what_is_withdrawn_ends_within_five_seconds_and_stays_ended(
    office: Office, database: Database, tmp_path: Path, how: str
) -> None:
    async with watched(office, database, tmp_path):
        client = await office.signed_in("viewer")
        await client.state_purpose()
        watching = Watching(office, client, body(LOBBY))
        await until(lambda: watching.pictures > 5)
        queries = {
            "grant": "DELETE FROM staff_grant",
            "camera": f"UPDATE camera SET removed_ns = 1 WHERE camera_id = '{LOBBY}'",
            "disabled": "UPDATE staff SET disabled_ns = 1",
        }
        if how == "sign-out":
            assert (await client.post("/v1/sign-out", json={})).status_code < 300
        else:
            await office.owner.execute(queries[how])
        async with asyncio.timeout(5):
            await watching.task
        seen = watching.pictures
        await asyncio.sleep(0.5)
        assert watching.pictures == seen
        again = Watching(office, client, body(LOBBY))
        await until(lambda: again.status in (401, 404) or again.told)
        await again.end()
        assert again.pictures == 0
        assert again.status in (401, 404) or again.told[-1] == {"ended": "refused"}


async def test_a_look_that_cannot_be_recorded_shows_nothing(office: Office, database: Database, tmp_path: Path) -> None:
    async with watched(office, database, tmp_path):
        client = await office.signed_in("viewer")
        await client.state_purpose()
        await office.owner.execute("REVOKE EXECUTE ON FUNCTION audit_append FROM tallenne_custodian")
        watching = Watching(office, client, body(LOBBY))
        try:
            await until(lambda: watching.told)
        finally:
            await office.owner.execute("GRANT EXECUTE ON FUNCTION audit_append TO tallenne_custodian")
        assert watching.told == [{"ended": "away"}]
        assert watching.pictures == 0
        await watching.end()


async def test_door_events_appear_on_the_cameras_that_see_the_door_without_the_person(
    office: Office, database: Database, tmp_path: Path
) -> None:
    async with watched(office, database, tmp_path) as gym:
        client = await office.signed_in("viewer")
        await client.state_purpose()
        watching = Watching(office, client, body(LOBBY))
        await until(lambda: watching.pictures)
        await asyncio.sleep(0.2)
        office.clock.forward(1)
        now_ns = office.clock.now_ns
        shown = await gym.event("denied", now_ns, member=gym.aino)
        await gym.event("denied", now_ns, door=SIDE)  # which the lobby does not see
        await gym.event("granted", now_ns - 3600 * NS)  # long ago
        await until(lambda: any("event" in told for told in watching.told))
        await asyncio.sleep(1.5)
        events = [told["event"] for told in watching.told if "event" in told]
        assert [(event["event_id"], event["door"], event["kind"]) for event in events] == [
            (str(shown), "Front door", "denied")
        ]
        assert set(events[0]) == {"event_id", "door", "kind", "at"}
        assert "Aino" not in str(watching.told)
        await watching.end()


async def test_one_person_leaves_room_for_others_whatever_their_sessions(
    office: Office, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.room.PERSON_LOOKS_MAX", 2)
    async with watched(office, database, tmp_path):
        name, staff = await office.hire("viewer")
        clients = [office.client(), office.client()]
        for client in clients:
            assert (await sign_in(client, name, code=office.code(staff))).status_code == 200
            await client.state_purpose()
            office.clock.forward(30)
        first = Watching(office, clients[0], body(LOBBY, LOBBY))
        await until(lambda: first.pictures > 5)
        for client in clients:
            refused = Watching(office, client, body(LOBBY))
            await until(lambda seen=refused: seen.told)
            assert (refused.told, refused.pictures) == ([{"ended": "busy"}], 0)
            await refused.end()
        assert len(await office.owner.fetch(ENTRIES)) == 2  # what is not shown is no look
        other = await office.signed_in("viewer")
        await other.state_purpose()
        watching = Watching(office, other, body(LOBBY))
        await until(lambda: watching.pictures > 5)
        await watching.end()
        await first.end()
        again = Watching(office, clients[1], body(LOBBY))
        await until(lambda: again.pictures > 5)
        await again.end()


async def test_without_the_role_it_is_503(office: Office) -> None:
    await open_gym(office.owner, office.clock.now_ns)
    client = await office.signed_in("viewer")
    await client.state_purpose()
    watching = Watching(office, client, body(LOBBY))
    await until(lambda: watching.status)
    await watching.end()
    assert watching.status == 503
