"""Exports: made in the background, streamed, checked by a verifier of their own, approved by a second person."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import sys
import uuid
import warnings
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from api.credentials.accounts import NewGrant
from api.http.jobs import Jobs, Progress
from api.http.problems import Problem
from domain.time import NS, Span, from_iso, to_iso
from storage.mp4 import boxes
from tests.conftest import Database
from tests.integration.api.conftest import Client, Office
from tests.integration.api.footage import Footage, coded_pictures, footage_of, recorded_pictures
from tests.integration.api.gym import CORRIDOR, LOBBY, NORTH, SOUTH, SOUTH_CAMERA, Gym, open_gym

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(office: Office) -> Gym:
    return await open_gym(office.owner, office.clock.now_ns)


@pytest.fixture
async def footage(office: Office, gym: Gym, database: Database, tmp_path: Path) -> AsyncIterator[Footage]:
    cameras = {LOBBY: NORTH, CORRIDOR: NORTH, SOUTH_CAMERA: SOUTH}
    async with footage_of(office, database, cameras, tmp_path) as made:
        yield made


async def exporter(office: Office, *grants: NewGrant | str) -> Client:
    client = await office.signed_in(*(grants or ("exporter",)))
    await client.state_purpose()
    return client


def body(footage: Footage, *cameras: Any, **more: Any) -> dict[str, Any]:
    span = Span(footage.span.start_ns + NS, footage.span.end_ns - 3 * NS)
    return {
        "camera_ids": [str(each) for each in cameras or (LOBBY, CORRIDOR)],
        "start": to_iso(span.start_ns),
        "end": to_iso(span.end_ns),
        **more,
    }


async def asked(client: Client, wanted: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/v1/exports", json=wanted)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    assert found["state"] == "approval"
    return found


async def made(office: Office, client: Client, wanted: dict[str, Any]) -> dict[str, Any]:
    """Asked for, approved by somebody else, made."""
    export = await asked(client, wanted)
    second = await office.signed_in("exporter")
    path = f"/v1/exports/{export['export_id']}"
    await look_at(second, export)
    assert (await second.post(f"{path}/approve", json={})).json()["state"] == "approved"
    assert (await client.post(f"{path}/prepare")).status_code == 200
    return await ended(client, export["export_id"])


async def look_at(approver: Client, export: dict[str, Any]) -> None:
    """The approver's own look at every camera, as a player begins it."""
    path = f"/v1/exports/{export['export_id']}"
    answer = await approver.post(f"{path}/preview")
    assert answer.status_code == 201, answer.text
    seen = answer.json()
    for camera in seen["cameras"]:
        query = {"start": export["start"], "end": export["end"], "purpose": seen["purpose_id"]}
        clip = f"{path}/cameras/{camera['camera_id']}/clip.mp4"
        part = await approver.get(clip, params=query, headers={"Range": "bytes=0-8191"})
        assert part.status_code == 206, part.text


async def ended(client: Client, export_id: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            found: dict[str, Any] = (await client.get(f"/v1/exports/{export_id}")).json()
            if found["state"] != "working":
                return found
            await asyncio.sleep(0.05)


async def fetched(client: Client, export: dict[str, Any]) -> bytes:
    answer = await client.get(f"/v1/exports/{export['export_id']}/download")
    assert answer.status_code == 200, answer.text
    return answer.content


def verifies(path: Path, *arguments: str) -> tuple[bool, str]:
    script = path / "verify.py" if path.is_dir() else Path(__file__).resolve().parents[3] / "api/export/verify.py"
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(path), *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


async def test_zip_holds_what_was_recorded_and_verifies(office: Office, footage: Footage, tmp_path: Path) -> None:
    client = await exporter(office)
    export = await made(office, client, body(footage))
    assert (export["state"], len(export["files"])) == ("ready", 2)
    data = await fetched(client, export)
    (tmp_path / "export.zip").write_bytes(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "export")
    manifest = json.loads((tmp_path / "export" / "manifest.json").read_text())
    for file, camera in zip(manifest["files"], (LOBBY, CORRIDOR), strict=True):
        assert coded_pictures((tmp_path / "export" / file["name"]).read_bytes()) == recorded_pictures(footage, camera)
        rows = {str(each.segment_id): each for each in footage.segments[camera]}
        for said in file["sealed_objects"]:
            assert bytes.fromhex(said["sha256"]) == rows[said["segment_id"]].sha256
        # Cut at the key frame before, and said so.
        assert from_iso(file["start"]) <= from_iso(manifest["asked"]["start"])
        assert from_iso(file["end"]) >= from_iso(manifest["asked"]["end"])
    for path in (tmp_path / "export.zip", tmp_path / "export"):
        good, said = await asyncio.to_thread(verifies, path, "--key-sha256", export["key_sha256"])
        assert good, said
        assert not (await asyncio.to_thread(verifies, path, "--key-sha256", "00" * 32))[0]
    text = (tmp_path / "export" / "manifest.json").read_text()
    assert "Virtanen" not in text
    # Which of two of one name is checked, and which is unpacked, is not for anybody to guess.
    forged, name = tmp_path / "forged.zip", manifest["files"][0]["name"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(forged, "w") as twice:
        twice.writestr(name, b"another film")
        for item in archive.infolist():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                twice.writestr(item.filename, archive.read(item))
    good, said = await asyncio.to_thread(verifies, forged)
    assert not good
    assert "two of" in said


async def test_any_changed_byte_is_found(office: Office, footage: Footage, tmp_path: Path) -> None:
    client = await exporter(office)
    data = await fetched(client, await made(office, client, body(footage)))
    folder = tmp_path / "export"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
    assert (await asyncio.to_thread(verifies, folder))[0]
    for path in sorted(folder.iterdir()):
        if path.name == "verify.py":
            continue  # a changed verifier is no verifier
        whole = path.read_bytes()
        places = {0, len(whole) // 2, len(whole) - 1}
        if path.suffix == ".mp4":  # one place in every kind of box as well
            places |= set({item.kind: item.body for item in boxes(whole)}.values())
        for at in places:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert not (await asyncio.to_thread(verifies, folder))[0], (path.name, at)
        path.write_bytes(whole)
    (folder / "extra.mp4").write_bytes(b"x")
    assert not (await asyncio.to_thread(verifies, folder))[0]
    (folder / "extra.mp4").unlink()
    assert (await asyncio.to_thread(verifies, folder))[0]


async def test_single_file_with_the_manifest_apart(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    assert (await client.post("/v1/exports", json=body(footage, format="mp4"))).status_code == 422
    export = await made(office, client, body(footage, LOBBY, format="mp4"))
    path = f"/v1/exports/{export['export_id']}"
    head = await client.head(f"{path}/download")
    data = await fetched(client, export)
    assert int(head.headers["content-length"]) == len(data)
    manifest = (await client.get(f"{path}/manifest.json")).content
    assert json.loads(manifest)["files"][0]["sha256"] == hashlib.sha256(data).hexdigest()
    office.rooms.exports.key.export_key.verify((await client.get(f"{path}/manifest.sig")).content, manifest)
    assert b"BEGIN PUBLIC KEY" in (await office.client().get("/v1/export-key.pem")).content
    assert b"openssl" in (await office.client().get("/v1/export-verifier.py")).content


async def test_everything_is_on_record_with_the_true_span(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    export = await made(office, client, body(footage, LOBBY))
    await fetched(client, export)
    entries = [row for row in await office.audit() if row["action"].startswith("export")]
    assert [row["action"] for row in entries] == [
        "export_asked",
        "export_previewed",
        "export_approved",
        "export",
        "export_made",
        "export_fetched",
    ]
    assert entries[1]["actor"] == entries[2]["actor"] != entries[0]["actor"] == entries[5]["actor"]
    assert entries[4]["camera_id"] == LOBBY
    assert to_iso(entries[4]["start_ns"]) == export["files"][0]["start"]
    assert all((str(row["purpose_id"]) == client.purpose) == (row is not entries[1]) for row in entries)


@pytest.mark.trust
async def test_list_of_exports_is_on_record_with_those_it_shows(office: Office, footage: Footage) -> None:
    export = await asked(await exporter(office), body(footage, LOBBY))
    colleague = await exporter(office)
    await colleague.get(f"/v1/exports/{export['export_id']}")
    for _ in range(3):
        assert len((await colleague.get("/v1/exports")).json()) == 1
    listed = [row for row in await office.audit() if row["action"] == "exports_listed"]
    assert [json.loads(row["detail"]) for row in listed] == [
        {"exports": [export["export_id"]], "cameras": [str(LOBBY)]}
    ]


async def test_what_waits_elsewhere_does_not_crowd_out_ones_own(
    office: Office, gym: Gym, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await exporter(office, NewGrant(role="exporter", site_id=SOUTH))
    span = {"start": to_iso(gym.now_ns - 60 * NS), "end": to_iso(gym.now_ns)}
    first = await asked(mine, {"camera_ids": [str(SOUTH_CAMERA)], **span})
    monkeypatch.setattr("api.export.rows.LISTED_MAX", 3)
    others = await exporter(office, NewGrant(role="exporter", site_id=NORTH))
    for _ in range(5):
        office.clock.forward(1)
        await asked(others, body(footage, LOBBY))
    second = await office.signed_in(NewGrant(role="exporter", site_id=SOUTH))
    for client in (mine, second):
        assert [each["export_id"] for each in (await client.get("/v1/exports")).json()] == [first["export_id"]]


async def test_who_audits_one_camera_sees_its_exports_beside_others(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    await asked(client, body(footage, LOBBY, CORRIDOR))
    for camera, seen in ((LOBBY, [str(LOBBY)]), (SOUTH_CAMERA, None)):
        auditor = await office.signed_in(NewGrant(role="auditor", camera_id=camera))
        page = (await auditor.get("/v1/audit", params={"action": "export_asked"})).json()
        assert [each["detail"]["cameras"] for each in page["entries"]] == ([seen] if seen else [])
        assert page["names"] == ({str(LOBBY): "Lobby"} if seen else {})
    everything = await office.signed_in("auditor")
    page = (await everything.get("/v1/audit", params={"action": "export_asked"})).json()
    assert set(page["names"].values()) == {"Lobby", "Corridor"}


async def test_damaged_store_breaks_the_download_off(
    office: Office, footage: Footage, caplog: pytest.LogCaptureFixture
) -> None:
    client = await exporter(office)
    export = await made(office, client, body(footage, LOBBY))
    store: Any = office.rooms.footage.store
    office.rooms.footage.cache.clear()
    for name, data in store.objects.items():
        store.objects[name] = data[:-2000] + bytes([data[-2000] ^ 1]) + data[-1999:]
    try:
        answer = await client.get(f"/v1/exports/{export['export_id']}/download")
    except AssertionError:  # httpx's way to say that the answer ended short of its length
        assert "an answer broke off" in caplog.text
    else:
        assert answer.status_code == 500 or not zipfile.is_zipfile(io.BytesIO(answer.content))


async def test_no_footage_says_so_and_expired_footage_says_so(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    old = {"camera_ids": [str(LOBBY)], "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:10:00Z"}
    answer = await client.post("/v1/exports", json=old)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:tallenne:no-footage")
    assert await office.owner.fetchval("SELECT count(*) FROM footage_export") == 0
    export = await made(office, client, body(footage, LOBBY))
    office.rooms.footage.cache.clear()
    await office.owner.execute("UPDATE segment SET state = 'gone' WHERE camera_id = $1", LOBBY)
    answer = await client.get(f"/v1/exports/{export['export_id']}/download")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:tallenne:export-changed")
    answer = await client.post(f"/v1/exports/{export['export_id']}/prepare")
    assert answer.status_code == 200
    assert (await ended(client, export["export_id"]))["problem"] == "no-footage"


async def test_no_copy_leaves_without_a_second_person(office: Office, gym: Gym, footage: Footage) -> None:
    """Nothing in a copy is masked: whoever asks for it is not whoever lets it go."""
    client = await exporter(office)
    export = await asked(client, body(footage))
    assert export["minor"] is False
    path = f"/v1/exports/{export['export_id']}"
    for answer in (await client.post(f"{path}/approve", json={}), await client.post(f"{path}/prepare")):
        assert answer.status_code == 403
    assert (await client.get(f"{path}/download")).status_code == 409
    # Nobody without a role for all of its cameras, and nobody without a fresh code.
    for grants in (
        ["viewer"],
        ["auditor"],
        [NewGrant(role="admin", site_id=SOUTH)],
        [NewGrant(role="exporter", camera_id=LOBBY)],
    ):
        other = await office.signed_in(*grants)
        assert (await other.post(f"{path}/approve", json={})).status_code == 404, grants
    second = await office.signed_in(NewGrant(role="admin", site_id=NORTH))
    waiting = (await second.get("/v1/exports")).json()
    assert [(each["export_id"], each["may_approve"]) for each in waiting] == [(export["export_id"], True)]
    await look_at(second, export)
    office.clock.forward(301)
    assert (await second.post(f"{path}/approve", json={})).json()["type"] == "urn:tallenne:step-up-needed"
    office.clock.forward(-301)
    assert (await second.post(f"{path}/approve", json={})).json()["state"] == "approved"
    assert (await second.post(f"{path}/approve", json={})).status_code == 409
    assert (await second.get(f"{path}/download")).status_code == 404
    assert (await client.post(f"{path}/prepare")).status_code == 200
    export = await ended(client, export["export_id"])
    assert export["state"] == "ready"
    assert b"manifest.json" in await fetched(client, export)
    actions = [row["action"] for row in await office.audit()]
    assert "export_approved" in actions


async def test_database_itself_refuses_an_export_that_nobody_approved(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    export = await asked(client, body(footage))
    for state in ("working", "approved"):
        with pytest.raises(asyncpg.CheckViolationError):
            await office.owner.execute(
                "UPDATE footage_export SET state = $2 WHERE export_id = $1", uuid.UUID(export["export_id"]), state
            )


async def test_exports_of_others_and_other_sites_are_not_there(office: Office, footage: Footage) -> None:
    client = await exporter(office, NewGrant(role="exporter", site_id=NORTH))
    assert (await client.post("/v1/exports", json=body(footage, SOUTH_CAMERA))).status_code == 404
    export = await made(office, client, body(footage, LOBBY))
    south = await exporter(office, NewGrant(role="exporter", site_id=SOUTH))
    colleague = await exporter(office, NewGrant(role="exporter", site_id=NORTH))
    path = f"/v1/exports/{export['export_id']}"
    assert (await south.get(path)).status_code == 404
    assert (await colleague.get("/v1/exports")).json() == []
    for other in (south, colleague):
        for address in ("download", "manifest.json", "manifest.sig"):
            assert (await other.get(f"{path}/{address}")).status_code == 404
    office.clock.forward(301)
    assert (await client.get(f"{path}/download")).json()["type"] == "urn:tallenne:step-up-needed"
    assert (await client.post("/v1/exports", json=body(footage, LOBBY))).json()["type"] == "urn:tallenne:step-up-needed"


async def test_jobs_are_bounded_and_given_up_at_the_end() -> None:
    jobs = Jobs()

    async def work(progress: Progress) -> None:
        progress.total = 1
        await asyncio.sleep(60)

    first = uuid.uuid4()
    jobs.start(first, work)
    jobs.start(first, work)
    assert len(jobs) == 1
    for _ in range(15):
        jobs.start(uuid.uuid4(), work)
    await asyncio.sleep(0)
    with pytest.raises(Problem):
        jobs.start(uuid.uuid4(), work)
    await jobs.close()
    assert (len(jobs), jobs.at_work()) == (0, {})
