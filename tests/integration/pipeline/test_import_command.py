"""`tallenne import` beside a running gym: a past event is tagged with the file's footage, and staff fetch its clip."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import paho.mqtt.publish
import pytest

from demo.members import members
from domain.time import HOUR_NS, NS, Span, hour_of, to_iso
from pipeline.client import staff_client
from pipeline.demo.account import demo_account
from pipeline.embedded.broker import DOORS_USER
from pipeline.exit_codes import MISUSE
from pipeline.running import Running
from pipeline.secret_files import read_secret
from pipeline.supervise.tell import Tell
from pipeline.up import UpOptions, running
from tests.support.cameras.video import encoded, written

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
async def gym() -> AsyncIterator[Running]:
    with tempfile.TemporaryDirectory(prefix="tallenne-import-") as folder:
        async with running(
            UpOptions(config=None, data=Path(folder) / "data", cameras=1), Tell(quiet=True)
        ) as everything:
            yield everything


async def tallenne(gym: Running, *words: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "pipeline.cli", *words, "--data", str(gym.installation.root)]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return str(done.stdout + done.stderr)


async def publish(gym: Running, occurred_ns: int, credential: str) -> None:
    broker = gym.settings.endpoints["broker"]
    word = read_secret(gym.installation.root / "broker" / f"{DOORS_USER}.secret")
    body = {"event_id": str(uuid.uuid4()), "occurred_at": to_iso(occurred_ns), "kind": "granted", "direction": "in"}
    auth: Any = {"username": DOORS_USER, "password": word}
    await asyncio.to_thread(
        paho.mqtt.publish.single,
        "access/demo/main",
        json.dumps(body | {"credential": credential}).encode(),
        qos=1,
        hostname=broker["host"],
        port=broker["port"],
        auth=auth,
    )


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
    await publish(gym, start_ns + 15 * NS, card)

    said = json.loads(
        await tallenne(gym, "import", str(film), "--camera", camera, "--start", to_iso(start_ns), "--json")
    )
    assert (said["segments"], said["pictures"]) == (3, 750)
    span = ("--start", to_iso(start_ns), "--end", to_iso(start_ns + 30 * NS))
    async with asyncio.timeout(30):
        while True:
            listed = json.loads(await tallenne(gym, "events", "list", *span, "--json"))
            if listed and listed[0]["tags"]:
                break
            await asyncio.sleep(0.5)
    with av.open(await played(gym, Span(start_ns, start_ns + 30 * NS))) as container:
        assert sum(1 for _ in container.decode(video=0)) == 750
    report = json.loads(await tallenne(gym, "verify", *span, "--json"))
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
