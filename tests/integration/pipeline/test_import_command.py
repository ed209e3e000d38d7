"""`tallenne import` beside a running gym: a past event is tagged with the file's footage, and staff fetch its clip."""

from __future__ import annotations

import asyncio
import io
import json
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from demo.members import members
from domain.time import HOUR_NS, NS, Span, hour_of, to_iso
from pipeline.client import staff_client
from pipeline.demo.account import demo_account
from pipeline.exit_codes import MISUSE
from pipeline.running import Running
from tests.support.cameras.video import encoded, written
from tests.support.demo_gym import as_json, demo_gym, publish, tallenne

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
async def gym() -> AsyncIterator[Running]:
    async with demo_gym(cameras=1) as everything:
        yield everything


async def passage(gym: Running, occurred_ns: int, credential: str) -> None:
    body = {"event_id": str(uuid.uuid4()), "occurred_at": to_iso(occurred_ns), "kind": "granted", "direction": "in"}
    await publish(gym, json.dumps(body | {"credential": credential}).encode())


async def played(gym: Running, span: Span) -> io.BytesIO:
    """The first camera's clip, as the player gets it."""
    out = io.BytesIO()
    async with staff_client(gym.address, gym.installation.root / "serve" / "tls-cert.pem") as client:
        await demo_account(gym.installation).sign_in(client)
        await client.state_purpose("access", "a test")
        await client.fetch_clip(str(gym.settings.inventory().cameras[0].camera_id), span, out)
    out.seek(0)
    return out


async def test_past_event_is_tagged_with_imported_footage(gym: Running, tmp_path: Path) -> None:
    camera = gym.settings.inventory().cameras[0].name
    film = await asyncio.to_thread(lambda: written(tmp_path / "film.mp4", encoded(30.0)))
    start_ns = hour_of(time.time_ns()) - 3 * HOUR_NS
    card = next(member.credential for member in members() if not member.valid_to)
    await passage(gym, start_ns + 15 * NS, card)

    said = await as_json(gym, "import", str(film), "--camera", camera, "--start", to_iso(start_ns))
    assert (said["segments"], said["pictures"]) == (3, 750)
    span = ("--start", to_iso(start_ns), "--end", to_iso(start_ns + 30 * NS))
    async with asyncio.timeout(30):
        while True:
            listed = await as_json(gym, "events", "list", *span)
            if listed and listed[0]["tags"]:
                break
            await asyncio.sleep(0.5)
    with av.open(await played(gym, Span(start_ns, start_ns + 30 * NS))) as container:
        assert sum(1 for _ in container.decode(video=0)) == 750
    report = await as_json(gym, "verify", *span)
    assert (report["ok"], report["objects"]) == (True, 3)

    words = ("import", str(film), "--camera", camera, "--start")
    assert "Spans of a camera never overlap" in await tallenne(gym, *words, to_iso(start_ns), code=MISUSE)
    assert "future" in await tallenne(gym, *words, to_iso(time.time_ns() + HOUR_NS), code=MISUSE)
    assert "There are:" in await tallenne(
        gym, "import", str(film), "--camera", "Attic", "--start", to_iso(start_ns), code=MISUSE
    )
    assert "no MP4" in await tallenne(
        gym, "import", str(Path(__file__)), "--camera", camera, "--start", to_iso(start_ns), code=MISUSE
    )
    assert "no interrupted import" in await tallenne(gym, "import", "--resume")
