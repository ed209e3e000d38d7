"""The commands around doors, against a running gym: import, list, withdraw; quarantined, listed, mended, replayed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import paho.mqtt.publish
import pytest

from domain.time import NS, to_iso
from pipeline.embedded.broker import DOORS_USER
from pipeline.secret_files import read_secret
from pipeline.supervise.tell import Tell
from pipeline.up import Running, Wish, running
from storage.database import connect

ROOT = Path(__file__).resolve().parents[3]
TOPIC = "access/demo/main"
pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
async def gym() -> AsyncIterator[Running]:
    """Two cameras at the main door. A short path: Unix sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="tallenne-doors-") as folder:
        async with running(Wish(config=None, data=Path(folder) / "data", cameras=2), Tell(quiet=True)) as everything:
            yield everything


async def tallenne(gym: Running, *words: str, code: int = 0) -> str:
    """What the command says."""
    command = [sys.executable, "-m", "pipeline.cli", *words, "--data", str(gym.installation.root)]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return str(done.stdout + done.stderr)


async def said(gym: Running, *words: str) -> Any:
    return json.loads(await tallenne(gym, *words, "--json"))


async def publish(gym: Running, payload: bytes) -> None:
    """As mosquitto_pub does: connect, publish at QoS 1, leave."""
    broker = gym.settings.endpoints["broker"]
    word = read_secret(gym.installation.root / "broker" / f"{DOORS_USER}.secret")
    auth: Any = {"username": DOORS_USER, "password": word}
    await asyncio.to_thread(
        paho.mqtt.publish.single, TOPIC, payload, qos=1, hostname=broker["host"], port=broker["port"], auth=auth
    )


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(30):
        while not (found := await look()):  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    return found


def message(occurred_ns: int, **more: str) -> bytes:
    body = {"event_id": str(uuid.uuid4()), "occurred_at": to_iso(occurred_ns), "kind": "granted", "direction": "in"}
    return json.dumps(body | more).encode()


async def test_stranger_is_quarantined_mended_replayed_tagged_and_withdrawn(gym: Running) -> None:
    occurred_ns = time.time_ns() - 2 * NS
    await publish(gym, message(occurred_ns, credential="c0:ff:ee:42"))
    await publish(gym, b'{"event_id": "broken", ')

    async def waiting() -> Any:
        rows = [row for row in await said(gym, "quarantine", "list") if row["topic"] == TOPIC]
        return rows if len(rows) == 2 else None

    rows = await until(waiting)
    assert {row["reason"] for row in rows} == {"unknown credential", "native: payload is not JSON"}
    assert "2 in quarantine" in await tallenne(gym, "quarantine", "list")
    report = await said(gym, "quarantine", "replay")
    assert (report["looked_at"], report["understood"], report["still_refused"]) == (2, 0, 2)

    await _import(gym)
    report = await said(gym, "quarantine", "replay")
    assert (report["looked_at"], report["understood"], report["still_refused"]) == (2, 1, 1)
    (row,) = await said(gym, "quarantine", "list")
    assert row["reason"] == "native: payload is not JSON"
    assert len(await said(gym, "quarantine", "list", "--all")) == 2

    async def tagged() -> Any:
        found = [one for one in await said(gym, "events", "list") if one["occurred"] == to_iso(occurred_ns)]
        return found[0] if found and all(found[0]["tags"].values()) else None

    event = await until(tagged)
    assert (event["door"], event["kind"]) == ("Main door", "granted")
    assert set(event["tags"]) == {"Entrance", "Reception"}
    assert event["member"] and "4242" not in json.dumps(event)
    await _withdraw(gym, event["event"])


async def _import(gym: Running) -> None:
    """Errors by line, nothing half done; a dry run changes nothing; then it is done, and again is harmless."""
    folder = gym.installation.root
    wrong, right = folder / "wrong.csv", folder / "right.csv"
    wrong.write_text("number,name,credential\n4242,Maija Mallikas,C0FFEE42\n,Nobody,\n")
    right.write_text("number,name,credential\n4242,Maija Mallikas,C0:FF:EE:42\n")
    assert "line 3" in await tallenne(gym, "members", "import", str(wrong), code=1)
    assert "Would import 1 lines: 1 members new" in await tallenne(gym, "members", "import", str(right), "--dry-run")
    first = await said(gym, "members", "import", str(right))
    assert (first["members_new"], first["credentials_new"], first["applied"]) == (1, 1, True)
    again = await said(gym, "members", "import", str(right))
    assert (again["members_new"], again["credentials_new"]) == (0, 0)


async def _withdraw(gym: Running, event_id: str) -> None:
    await tallenne(gym, "events", "withdraw", event_id)
    assert event_id not in await tallenne(gym, "events", "list", "--json")
    assert "is not in force" in await tallenne(gym, "events", "withdraw", event_id, code=2)
    conn = await connect(gym.settings.database("owner"))
    try:
        actions = {row["action"] for row in await conn.fetch("SELECT DISTINCT action FROM audit_entry")}
        ended = await conn.fetchval(
            "SELECT count(*) FROM tag WHERE event_id = $1 AND superseded_ns IS NOT NULL", uuid.UUID(event_id)
        )
    finally:
        await conn.close()
    assert {"event_withdrawn", "quarantine_replayed", "members_imported"} <= actions
    assert ended >= 2
