"""The two machines of pipeline/APART.md in network namespaces: the custodian, by mutual TLS, and all the rest."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.time import HOUR_NS, to_iso
from pipeline.embedded.accounts import ROLES
from pipeline.embedded.postgres import start_postgres
from pipeline.embedded.provision import provision
from pipeline.embedded.store import Store
from runtime.database import connect
from tests.support.footage.custodian import add_staff
from tests.support.network.two_machines import PORT, VAULT, TwoMachines, impossible, lent, two_machines
from tests.support.processes.started import ROOT

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.long, pytest.mark.trust, pytest.mark.timeout(600)]

ASK = """
import asyncio, json, sys
from pathlib import Path
from uuid import UUID
from custodian.client import CustodianClient
from domain.time import Span
from runtime.settings import CustodianAt, TlsFiles

told = json.loads(sys.argv[1])
etc = Path(told["etc"])
files = TlsFiles(ca=etc / "authority.pem", certificate=etc / "certificate.pem", key=etc / "key.pem")
client = CustodianClient(CustodianAt(host=told["host"], port=told["port"], files=files))
try:
    keys = asyncio.run(client.open_segments(
        [UUID(one) for one in told["segments"]], session_id=UUID(told["session"]), purpose_id=UUID(told["purpose"]),
        action="look", camera_id=UUID(told["camera"]), span=Span(told["start_ns"], told["end_ns"])))
except Exception as error:
    print(type(error).__name__, error)
else:
    print(len(keys), "keys")
"""


@pytest.fixture
async def machines(store_server: Store, tmp_path: Path) -> AsyncIterator[tuple[TwoMachines, Any]]:
    if reason := impossible():
        pytest.skip(reason)
    bucket = f"machines-{uuid.uuid4().hex[:16]}"
    postgres = start_postgres(tmp_path / "pg", log=tmp_path / "pg.log", durable=False)
    passwords = {role: f"test-{role.removeprefix('tallenne_')}" for role in ROLES}
    secrets = {f"db-{name}": f"test-{name}" for name in ("ingest", "index", "custodian", "serve", "keeper")}
    secrets |= {"db-owner": postgres.password, "mqtt": "none"}
    secrets |= {"s3-access": store_server.settings.access_key, "s3-secret": store_server.settings.secret_key}
    try:
        await provision(postgres.settings(), passwords)
        with two_machines(tmp_path) as made:
            async with lent(made, postgres, store_server.settings), _camera(made) as url:
                await asyncio.to_thread(made.configure, url, bucket, secrets)
                for name in ("access", "secret"):
                    key = getattr(store_server.custodian, f"{name}_key")
                    (made.etc("custodian") / f"s3-{name}").write_text(key)
                yield made, postgres.settings(database="tallenne")
    finally:
        postgres.stop()


@contextlib.asynccontextmanager
async def _camera(made: TwoMachines) -> AsyncIterator[str]:
    """On the second machine, where its recorder is."""
    options = ["--cameras", "1", "--bitrate", "300000", "--fps", "12", "--gop", "12", "--size", "640x360"]
    command = made.command("ingest", "-m", "demo.rtsp_server", *options)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield str(json.loads(await process.stdout.readline())["urls"][0])
    finally:
        process.kill()
        await process.wait()


async def _segments(owner: Any, count: int) -> list[Any]:
    async with asyncio.timeout(120):
        while await owner.fetchval("SELECT count(*) FROM segment") < count:  # noqa: ASYNC110 another process
            await asyncio.sleep(0.3)
    return list(await owner.fetch("SELECT * FROM segment ORDER BY start_ns"))


async def test_custodian_on_another_machine_serves_those_whose_certificate_it_knows(
    machines: tuple[TwoMachines, Any],
) -> None:
    made, database = machines
    await asyncio.to_thread(made.tallenne, "operator", "catalogue", "prepare")
    owner = await connect(database)
    try:
        async with made.role("custodian") as custodian, made.role("ingest") as ingest:
            rows = await _segments(owner, 3)
            assert None is custodian.returncode is ingest.returncode
            status = json.loads(await asyncio.to_thread(made.tallenne, "operator", "status", "--json"))
            assert status["protection"] == "elsewhere"
            assert json.loads(await _verified(made))["ok"]
            staff = await add_staff(owner)
            told = {
                "segments": [str(row["segment_id"]) for row in rows],
                "camera": str(rows[0]["camera_id"]),
                "start_ns": rows[0]["start_ns"],
                "end_ns": rows[-1]["end_ns"],
                "session": str(staff.session_id),
                "purpose": str(staff.purpose_id),
            }
            assert await _asked(made, "serve", told) == "3 keys"
            assert "User recorder-1 may not ask the custodian for 'open_segments'" in await _asked(made, "ingest", told)
            await asyncio.to_thread(_wrong_certificates, made)
            await _cable_is_cut(made, owner)
    finally:
        await owner.close()


async def _verified(made: TwoMachines, code: int = 0) -> str:
    start, end = (to_iso(time.time_ns() + hours * HOUR_NS) for hours in (-1, 1))
    words = ("verify", "--start", start, "--end", end, "--json")
    return await asyncio.to_thread(made.tallenne, "operator", *words, code=code)


async def _asked(made: TwoMachines, role: str, told: dict[str, Any]) -> str:
    place = {"etc": str(made.etc(role)), "host": VAULT, "port": PORT}
    command = made.command(role, "-c", ASK, json.dumps(told | place))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return out.decode().strip()


def _wrong_certificates(made: TwoMachines) -> None:
    """Each is one clear error of the command that met it, and the right one works afterwards."""
    etc, kept = made.etc("operator"), made.base / "kept"
    shutil.copytree(etc, kept)
    words = ("retention", "status", "--json")
    made.certificate("stranger", "operator")
    assert "does not know the name 'stranger' of this certificate" in made.tallenne("operator", *words, code=75)
    (etc / "certificate.pem").unlink()
    assert "certificate.pem cannot be read (No such file" in made.tallenne("operator", *words, code=75)
    right, made.authority = made.authority, made.base / "other"
    made.certificate("operator-1", "operator")
    made.authority = right
    says = f"operator/authority.pem did not sign the certificate of the custodian at {VAULT}:{PORT}"
    assert says in made.tallenne("operator", *words, code=75)
    shutil.copytree(kept, etc, dirs_exist_ok=True)
    assert json.loads(made.tallenne("operator", *words))


async def _cable_is_cut(made: TwoMachines, owner: Any) -> None:
    """The recorder goes on; what needs the custodian says that it is away; both go on once it is mended."""
    made.cut()
    before = await owner.fetchval("SELECT count(*) FROM segment")
    await _segments(owner, before + 3)
    assert f"does not answer at {VAULT}:{PORT}" in await _verified(made, code=75)
    made.mend()
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(AssertionError):
                assert json.loads(await _verified(made))["ok"]
                break
            await asyncio.sleep(1)
