"""An export in which everyone is masked: made by the masking process, kept in memory alone, for an hour."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from masking.errors import ModelMissingError
from tests.integration.api.conftest import Client, Office
from tests.integration.api.footage import Footage
from tests.integration.api.gym import LOBBY
from tests.integration.api.test_exports import asked, body, exporter, fetched, look_at, verifies
from tests.support.films import probed

pytest.importorskip("cv2")
pytestmark = pytest.mark.services


async def made(office: Office, client: Client, wanted: dict[str, Any]) -> dict[str, Any]:
    """Asked for, approved by somebody who sees it unmasked, made."""
    export = await asked(client, wanted)
    second = await office.signed_in("exporter")
    path = f"/v1/exports/{export['export_id']}"
    await look_at(second, export)
    assert (await second.post(f"{path}/approve", json={})).json()["state"] == "approved"
    return await prepared(client, path)


async def prepared(client: Client, path: str) -> dict[str, Any]:
    assert (await client.post(f"{path}/prepare")).status_code == 200
    done = [0]
    async with asyncio.timeout(200):
        while True:
            found: dict[str, Any] = (await client.get(path)).json()
            if found["state"] != "working":
                assert done == sorted(done)
                return found
            done.append(found["done_bytes"])
            await asyncio.sleep(0.1)


async def test_masked_zip_verifies_and_says_how_it_was_masked(office: Office, footage: Footage, tmp_path: Path) -> None:
    client = await exporter(office)
    export = await made(office, client, body(footage, masked=True))
    assert (export["state"], export["masked"]) == ("ready", True), export
    with zipfile.ZipFile(io.BytesIO(await fetched(client, export))) as archive:
        archive.extractall(tmp_path)
    assert verifies(tmp_path)[0], verifies(tmp_path)
    said = json.loads((tmp_path / "manifest.json").read_text())
    assert said["faces_masked"] is True
    assert "not looked through by a person" in said["masking"]["what"]
    names, times = probed((tmp_path / said["files"][0]["name"]).read_bytes(), tmp_path)
    assert names == ["h264"]
    unmasked = await made(office, client, body(footage, LOBBY, format="mp4"))
    plain = await fetched(client, unmasked)
    assert probed(plain, tmp_path)[1] == times  # to the tick
    assert hashlib.sha256(plain).hexdigest() != said["files"][0]["sha256"]


async def test_masked_copy_is_gone_after_an_hour_and_is_made_again(office: Office, footage: Footage) -> None:
    client = await exporter(office)
    export = await made(office, client, body(footage, LOBBY, format="mp4", masked=True))
    path = f"/v1/exports/{export['export_id']}"
    first = await fetched(client, export)
    assert hashlib.sha256(first).hexdigest() == export["files"][0]["sha256"]
    office.rooms.exports.films.clear()
    gone = await client.get(f"{path}/download")
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:tallenne:masked-gone")
    again = await prepared(client, path)
    assert again["state"] == "ready"
    assert len(await fetched(client, again)) > 0


async def test_too_long_a_span_and_a_missing_model_are_named(
    office: Office, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await exporter(office)
    monkeypatch.setattr("api.export.routes.LONGEST_MASKED_NS", 10)
    long = await client.post("/v1/exports", json=body(footage, masked=True))
    assert (long.status_code, long.json()["type"]) == (422, "urn:tallenne:too-long-to-mask")
    monkeypatch.undo()

    async def missing(*_: Any) -> None:
        raise ModelMissingError("The model is not installed.", "Install it.")

    monkeypatch.setattr("api.export.make.masked_film", missing)
    failed = await made(office, client, body(footage, LOBBY, masked=True))
    assert (failed["state"], failed["problem"]) == ("failed", "masking-missing")
