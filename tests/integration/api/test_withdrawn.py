"""Clips and exports on their way out end when the right to them does: every way in which it can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.types import Message

from api.credentials.accounts import CreatedStaff, NewGrant
from api.http import streaming
from api.sign_in.sessions import ABSOLUTE_NS, IDLE_NS
from domain.time import NS
from tests.conftest import Database
from tests.integration.api.conftest import PASSWORD, Client, Office, sign_in
from tests.integration.api.footage import Footage, footage_of
from tests.integration.api.gym import CORRIDOR, LOBBY, NORTH, SOUTH, open_gym
from tests.integration.api.test_exports import body, made

pytestmark = pytest.mark.services
EVERY_S = 0.02


@dataclass(kw_only=True)
class Watching:
    """A person whose player has read the beginning of an answer and pauses."""

    office: Office
    client: Client
    staff: CreatedStaff
    name: str
    pieces: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def begin(self, path: str, query: str) -> None:
        cookie = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        headers = [(b"host", b"tallenne.test"), (b"cookie", cookie.encode()), (b"range", b"bytes=0-")]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "https",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": headers, "client": ("192.0.2.7", 50000), "server": ("tallenne.test", 443),
        }  # fmt: skip

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                assert message["status"] in (200, 206), message
            elif self.pieces:
                await asyncio.sleep(3600)
            elif message.get("body"):
                self.pieces += 1
                self.begun.set()

        async def receive() -> Message:
            await asyncio.sleep(3600)
            return {"type": "http.disconnect"}

        self.task = asyncio.create_task(self.office.asgi()(scope, receive, send))  # type: ignore[arg-type]

    async def goes_on(self) -> bool:
        """After several looks at the right to it."""
        assert self.task is not None
        await asyncio.wait((self.task,), timeout=10 * EVERY_S)
        return not self.task.done()

    async def ends(self) -> bool:
        assert self.task is not None
        await asyncio.wait((self.task,), timeout=20)
        return self.task.done() and self.pieces == 1


@pytest.fixture
async def footage(office: Office, database: Database, tmp_path: Path) -> AsyncIterator[Footage]:
    await open_gym(office.owner, office.clock.now_ns)
    async with footage_of(office, database, {LOBBY: NORTH}, tmp_path) as made_:
        yield made_


@pytest.fixture
async def watch(
    office: Office, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[str], Awaitable[Watching]]]:
    """``await watch("clip")`` or ``watch("export")``: a person with one grant, and an answer that has begun."""
    monkeypatch.setattr(streaming, "ASKED_EVERY_S", EVERY_S)
    begun: list[Watching] = []

    async def begin(kind: str) -> Watching:
        name, staff = await office.hire(NewGrant(role="exporter", site_id=NORTH))
        client = office.client()
        assert (await sign_in(client, name, code=office.code(staff))).status_code == 200
        await client.state_purpose()
        watching = Watching(office=office, client=client, staff=staff, name=name)
        if kind == "clip":
            span = f"start={body(footage)['start']}&end={body(footage)['end']}"
            watching.begin(f"/v1/cameras/{LOBBY}/clip.mp4", f"{span}&purpose={client.purpose}")
        else:
            export = await made(office, client, body(footage, LOBBY))
            watching.begin(f"/v1/exports/{export['export_id']}/download", f"purpose={client.purpose}")
        begun.append(watching)
        assert watching.task is not None
        first = asyncio.create_task(watching.begun.wait())
        await asyncio.wait((first, watching.task), timeout=20, return_when=asyncio.FIRST_COMPLETED)
        assert watching.begun.is_set()
        return watching

    yield begin
    for watching in begun:
        if watching.task is not None:
            watching.task.cancel()
            await asyncio.wait((watching.task,))


async def signs_out(watching: Watching) -> None:
    assert (await watching.client.post("/v1/sign-out", json={})).status_code == 204


async def signs_out_everywhere_elsewhere(watching: Watching) -> None:
    other = await _second_session(watching)
    assert (await other.post("/v1/sign-out", json={"everywhere": True})).status_code == 204


async def changes_the_password_elsewhere(watching: Watching) -> None:
    other = await _second_session(watching)
    new = {"current": PASSWORD, "password": "neljä violettia polkupyörää"}
    assert (await other.post("/v1/password", json=new)).status_code == 204


async def _second_session(watching: Watching) -> Client:
    watching.office.clock.forward(30)  # another code
    other = watching.office.client()
    assert (await sign_in(other, watching.name, code=watching.office.code(watching.staff))).status_code == 200
    return other


async def is_signed_out(watching: Watching) -> None:
    await _by_an_administrator(watching, "POST", "sign-out", None)


async def is_disabled(watching: Watching) -> None:
    await _by_an_administrator(watching, "POST", "disable", {"disabled": True})


async def is_given_another_password(watching: Watching) -> None:
    await _by_an_administrator(watching, "POST", "password", {"password": "neljä violettia polkupyörää"})


async def is_given_another_factor(watching: Watching) -> None:
    await _by_an_administrator(watching, "POST", "second-factor", None)


async def loses_the_role(watching: Watching) -> None:
    grants = [{"role": "auditor", "site_id": str(NORTH)}]
    await _by_an_administrator(watching, "PUT", "grants", {"grants": grants})


async def loses_the_site(watching: Watching) -> None:
    grants = [{"role": "exporter", "site_id": str(SOUTH)}]
    await _by_an_administrator(watching, "PUT", "grants", {"grants": grants})


async def loses_the_camera(watching: Watching) -> None:
    grants = [{"role": "exporter", "camera_id": str(CORRIDOR)}]
    await _by_an_administrator(watching, "PUT", "grants", {"grants": grants})


async def _by_an_administrator(watching: Watching, method: str, what: str, said: object) -> None:
    admin = await watching.office.signed_in("admin")
    answer = await admin.request(method, f"/v1/staff/{watching.staff.staff_id}/{what}", json=said)
    assert answer.status_code < 300, answer.text


async def does_nothing_for_a_quarter_of_an_hour(watching: Watching) -> None:
    watching.office.clock.forward(IDLE_NS / NS - 1)
    assert await watching.goes_on()
    watching.office.clock.forward(2)


async def has_been_here_for_half_a_day(watching: Watching) -> None:
    for _ in range(int(ABSOLUTE_NS // IDLE_NS)):
        assert (await watching.client.get("/v1/session")).status_code == 200
        watching.office.clock.forward(IDLE_NS / NS - 1)
    assert await watching.goes_on()
    assert (await watching.client.get("/v1/session")).status_code == 200
    watching.office.clock.forward(60)


WAYS = (
    signs_out,
    signs_out_everywhere_elsewhere,
    changes_the_password_elsewhere,
    is_signed_out,
    is_disabled,
    is_given_another_password,
    is_given_another_factor,
    loses_the_role,
    loses_the_site,
    loses_the_camera,
    does_nothing_for_a_quarter_of_an_hour,
    has_been_here_for_half_a_day,
)


async def test_clip_ends_in_every_way_in_which_the_right_to_it_ends(
    watch: Callable[[str], Awaitable[Watching]],
) -> None:
    wrong = []
    for way in WAYS:
        watching = await watch("clip")
        assert await watching.goes_on(), way.__name__
        now_ns = watching.office.clock.now_ns
        await way(watching)
        if not await watching.ends():
            wrong.append(way.__name__)
        watching.office.clock.now_ns = now_ns + 30 * NS  # another code for the next one
    assert wrong == []


async def test_export_ends_when_right_or_approval_does(
    office: Office, watch: Callable[[str], Awaitable[Watching]]
) -> None:
    watching = await watch("export")
    office.clock.forward(301)  # a fresh code is needed to begin, not to go on
    assert await watching.goes_on()
    await loses_the_camera(watching)
    assert await watching.ends()
    again = await watch("export")
    await office.owner.execute("UPDATE footage_export SET state = 'failed', manifest = NULL, signature = NULL")
    assert await again.ends()


async def test_rights_given_anew_in_other_words_do_not_break_an_answer_off(
    watch: Callable[[str], Awaitable[Watching]],
) -> None:
    watching = await watch("clip")
    grants = [{"role": "viewer", "camera_id": str(LOBBY)}]
    await _by_an_administrator(watching, "PUT", "grants", {"grants": grants})
    assert await watching.goes_on()
