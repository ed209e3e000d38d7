"""The demo in this process, asked by commands and by doors as an operator's shell would."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.publish

from pipeline.embedded.accounts import DOORS_USER
from pipeline.running import Running
from pipeline.secret_files import read_secret
from pipeline.supervise.tell import Tell
from pipeline.up import UpOptions, running
from tests.support.processes.started import ROOT

TOPIC = "access/demo/main"  # of the main door


@asynccontextmanager
async def demo_gym(cameras: int) -> AsyncIterator[Running]:
    """This many cameras at the main door. A short path: Unix sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="tallenne-gym-") as folder:
        options = UpOptions(config=None, data=Path(folder) / "data", cameras=cameras)
        async with running(options, Tell(quiet=True)) as everything:
            yield everything


async def tallenne(gym: Running, *words: str, code: int = 0) -> str:
    """What the command prints; it ends with this code and without a traceback."""
    command = [sys.executable, "-m", "pipeline.cli", *words, "--data", str(gym.installation.root)]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return str(done.stdout + done.stderr)


async def as_json(gym: Running, *words: str) -> Any:
    """The same, with ``--json``, read."""
    return json.loads(await tallenne(gym, *words, "--json"))


async def publish(gym: Running, payload: bytes) -> None:
    """As mosquitto_pub does: connect as a door, publish at QoS 1, leave."""
    broker = gym.settings.endpoints["broker"]
    word = read_secret(gym.installation.root / "broker" / f"{DOORS_USER}.secret")
    auth: Any = {"username": DOORS_USER, "password": word}
    await asyncio.to_thread(
        paho.mqtt.publish.single, TOPIC, payload, qos=1, hostname=broker["host"], port=broker["port"], auth=auth
    )
