"""A clip as H.264 for a browser that cannot play it: a look like any other, on record first, ended with the right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.credentials.accounts import NewGrant
from live.client import LiveClient
from pipeline.smoke.lateness import Lateness
from runtime.errors import DatabaseAwayError
from tests.integration.api.conftest import Client, Office, sign_in
from tests.integration.api.export.test_deciding import clip
from tests.integration.api.footage import Footage
from tests.integration.api.gym import CORRIDOR, LOBBY, NORTH, Gym
from tests.integration.api.test_exports import asked, body, exporter
from tests.integration.api.test_withdrawn import Watching, loses_the_camera, signs_out
from tests.support.cameras.video import decoded_times
from tests.support.live import ME
from tests.unit.live.test_looks import rig

pytestmark = pytest.mark.services
PATH = f"/v1/cameras/{LOBBY}/clip.mp4"


@pytest.fixture
async def converting(office: Office, gym: Gym, footage: Footage, tmp_path: Path) -> AsyncIterator[Footage]:
    run = tmp_path / "live"
    run.mkdir()
    converter = LiveClient(run, ME)
    office.rooms = replace(office.rooms, footage=replace(office.rooms.footage, converter=converter))
    async with rig(run):
        yield footage


async def ask(client: Client, footage: Footage, path: str = PATH, **headers: str) -> httpx.Response:
    query = {key: body(footage)[key] for key in ("start", "end")} | {"purpose": client.purpose, "as": "h264"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.get(path, params=query, headers=named)


async def actions(office: Office) -> list[str]:
    return [row["action"] for row in await office.audit()]


async def test_pictures_of_a_range_come_on_record_and_whole_clips_as_that(office: Office, converting: Footage) -> None:
    client = await exporter(office, "viewer")
    for refused in ({}, {"Range": "bytes=0-", "Sec_Fetch_Dest": "document"}):
        assert (await ask(client, converting, **refused)).json()["type"] == "urn:tallenne:parts-only"
    assert (await actions(office))[-1] == "purpose"
    answer = await ask(client, converting, Range="bytes=5000-5001", Sec_Fetch_Dest="empty")
    assert (answer.status_code, answer.headers["content-type"]) == (200, 'video/mp4; codecs="avc1.42c02a"')
    assert not {"content-range", "content-length", "accept-ranges"} & set(answer.headers)
    assert (await actions(office))[-1] == "look"
    one = decoded_times(answer.content)
    everything = await ask(client, converting, Range="bytes=0-")
    assert (await actions(office))[-2:] == ["look", "look_whole"]
    times = decoded_times(everything.content)
    assert set(one) < set(times)
    original = {"start": body(converting)["start"], "end": body(converting)["end"], "purpose": client.purpose}
    whole = await client.get(PATH, params=original, headers={"Range": "bytes=0-"})
    assert times == decoded_times(whole.content)
    changed = await ask(client, converting, Range="bytes=0-", If_Range='"another"')
    assert changed.status_code == 416
    assert (await ask(client, converting, PATH.replace(str(LOBBY), str(CORRIDOR)), Range="bytes=0-")).status_code == 200


async def test_who_decides_about_an_export_sees_it_converted_and_nothing_else(
    office: Office, converting: Footage
) -> None:
    export = await asked(await exporter(office), body(converting, LOBBY))
    boss = await office.signed_in(NewGrant(role="admin", site_id=NORTH))
    purpose = (await boss.post(f"/v1/exports/{export['export_id']}/preview")).json()["purpose_id"]
    answer = await clip(boss, export, LOBBY, purpose, **{"as": "h264"})
    assert (answer.status_code, len(decoded_times(answer.content)) > 10) == (200, True)
    assert (await actions(office))[-1] == "look"
    assert (await clip(boss, export, CORRIDOR, purpose, **{"as": "h264"})).status_code == 404


async def test_whole_clip_that_cannot_be_put_on_record_is_not_converted(
    office: Office, converting: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await exporter(office, "viewer")

    async def away(*_: object) -> int:
        raise DatabaseAwayError("The database is away.")

    monkeypatch.setattr("api.cameras.parts.audit.append", away)
    try:
        status = (await ask(client, converting, Range="bytes=0-")).status_code
    except AssertionError:  # httpx's way to say that the answer broke off
        status = 503
    assert status == 503
    monkeypatch.undo()
    assert (await ask(client, converting, Range="bytes=0-")).status_code == 200
    assert (await actions(office))[-1] == "look_whole"


async def test_without_the_role_or_the_right_nothing_is_converted(office: Office, gym: Gym, footage: Footage) -> None:
    client = await exporter(office, "viewer")
    answer = await ask(client, footage, Range="bytes=0-")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:tallenne:away")
    auditor = await office.signed_in("auditor")
    auditor.purpose = client.purpose
    assert (await ask(auditor, footage, Range="bytes=0-")).status_code in (403, 404)


async def test_no_place_is_said(office: Office, gym: Gym, footage: Footage, tmp_path: Path) -> None:
    run = tmp_path / "live"
    run.mkdir()
    office.rooms = replace(office.rooms, footage=replace(office.rooms.footage, converter=LiveClient(run, ME)))
    client = await exporter(office, "viewer")
    async with rig(run, conversions_max=0):
        answer = await ask(client, footage, Range="bytes=0-")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:tallenne:conversions")


@pytest.mark.parametrize("way", [signs_out, loses_the_camera])
async def test_it_ends_within_five_seconds_of_the_right(
    office: Office, converting: Footage, way: Any, late: Lateness
) -> None:
    name, staff = await office.hire("exporter")
    client = office.client()
    assert (await sign_in(client, name, code=office.code(staff))).status_code == 200
    await client.state_purpose()
    watching = Watching(office=office, client=client, staff=staff, name=name)
    span = f"start={body(converting)['start']}&end={body(converting)['end']}"
    watching.begin(PATH, f"{span}&purpose={client.purpose}&as=h264")
    async with asyncio.timeout(20):
        await watching.begun.wait()
    began = time.monotonic()
    await way(watching)
    assert await watching.ends()
    assert (time.monotonic() - began) * 1000 < late.limit_ms(5000)
