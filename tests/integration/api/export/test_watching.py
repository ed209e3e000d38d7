"""Clips are watched, not taken: in parts, and on record as whole when all of one was sent."""

from __future__ import annotations

import json

import httpx
import pytest

from domain.time import NS, Span, from_iso, to_iso
from runtime.errors import DatabaseAwayError
from tests.integration.api.conftest import Office
from tests.integration.api.footage import Footage, coded_pictures, recorded_pictures
from tests.integration.api.gym import LOBBY, Gym
from tests.integration.api.test_exports import body, exporter

pytestmark = pytest.mark.services


async def test_a_look_is_on_record_with_what_it_showed(office: Office, gym: Gym, footage: Footage) -> None:
    """A clip begins with the key frame before: somebody who was seen only there was seen."""
    client = await exporter(office)
    start_ns = footage.span.start_ns
    asked_for = {"start": to_iso(start_ns + 79 * NS // 10), "end": to_iso(start_ns + 795 * NS // 100)}
    query = {**asked_for, "purpose": client.purpose}
    answer = await client.get(f"/v1/cameras/{LOBBY}/clip.mp4", params=query, headers={"Range": "bytes=0-99"})
    assert answer.status_code == 206
    shown = Span(*(from_iso(answer.headers[f"Tallenne-Clip-{name}"]) for name in ("Start", "End")))
    assert shown.start_ns < start_ns + 75 * NS // 10
    entry = (await office.audit())[-1]
    assert entry["action"] == "look"
    assert abs(entry["start_ns"] - shown.start_ns) + abs(entry["end_ns"] - shown.end_ns) < NS // 100


@pytest.mark.parametrize("role", ["viewer", "exporter"])
async def test_watching_is_no_way_around_an_export(office: Office, footage: Footage, role: str) -> None:
    """A clip is given in parts, to what plays it, and a clip that was given whole is on record as that."""
    client = await exporter(office, role)
    query = {key: body(footage)[key] for key in ("start", "end")} | {"purpose": client.purpose, "download": "1"}

    async def ask(**headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.get(f"/v1/cameras/{LOBBY}/clip.mp4", params=query, headers=named)

    for refused in ({}, *({"Range": "bytes=0-", "Sec_Fetch_Dest": kind} for kind in ("document", "iframe", "object"))):
        answer = await ask(**refused)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:tallenne:parts-only"), refused
    assert [row["action"] for row in await office.audit()][-1] == "purpose"
    head = await client.head(f"/v1/cameras/{LOBBY}/clip.mp4", params=query)
    size = int(head.headers["content-length"])
    answer = await ask(Range=f"bytes=0-{size * 8 // 10}", Sec_Fetch_Dest="video")
    assert answer.status_code == 206
    assert "content-disposition" not in answer.headers
    assert [row["action"] for row in await office.audit()][-1] == "look"
    for _ in range(2):
        assert (await ask(Range=f"bytes={size // 2}-", Sec_Fetch_Dest="empty")).status_code == 206
        look, whole = (await office.audit())[-2:]
        assert (look["action"], whole["action"]) == ("look", "look_whole")  # once
        assert (look["start_ns"], look["end_ns"]) == (whole["start_ns"], whole["end_ns"])
        assert json.loads(whole["detail"]) == {"bytes": size}


async def test_part_of_a_clip_holds_so_much_and_no_more(
    office: Office, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.cameras.parts.PART_NS", 3 * NS)
    client = await exporter(office, "viewer")
    query = {key: body(footage)[key] for key in ("start", "end")} | {"purpose": client.purpose}
    path, got, sizes = f"/v1/cameras/{LOBBY}/clip.mp4", b"", []
    while True:
        answer = await client.get(path, params=query, headers={"Range": f"bytes={len(got)}-"})
        assert answer.status_code == 206
        first, _, rest = answer.headers["content-range"].removeprefix("bytes ").partition("-")
        assert int(first) == len(got)
        got += answer.content
        sizes.append(answer.content.count(b"moof"))
        if len(got) == int(rest.partition("/")[2]):
            break
    assert sizes == [3, 3, 2 + 1]  # the last one stands for the end of the index
    assert coded_pictures(got) == recorded_pictures(footage, LOBBY)
    changed = {"Range": "bytes=0-99", "If-Range": '"another"'}
    assert (await client.get(path, params=query, headers=changed)).status_code == 416


async def test_whole_clip_that_cannot_be_put_on_record_is_not_sent(
    office: Office, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await exporter(office, "viewer")
    query = {key: body(footage)[key] for key in ("start", "end")} | {"purpose": client.purpose}
    path = f"/v1/cameras/{LOBBY}/clip.mp4"
    size = int((await client.head(path, params=query)).headers["content-length"])

    async def away(*_: object) -> int:
        raise DatabaseAwayError("The database is away.")

    monkeypatch.setattr("api.cameras.parts.audit.append", away)
    with pytest.raises(AssertionError):  # httpx's way to say that the answer ended short of its length
        await client.get(path, params=query, headers={"Range": "bytes=0-"})
    monkeypatch.undo()
    answer = await client.get(path, params=query, headers={"Range": "bytes=0-"})
    assert len(answer.content) == size
    assert [row["action"] for row in await office.audit()][-1] == "look_whole"
