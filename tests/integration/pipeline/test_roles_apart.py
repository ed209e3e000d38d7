"""Roles under users of their own: ingest, with all it can reach, opens nothing that it recorded before."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from demo.live import LiveCamera, Studio, live_settings
from demo.rtsp.server import RtspServer
from domain.time import HOUR_NS, to_iso
from pipeline.embedded.process import free_ports
from runtime.database import connect
from runtime.settings import StoreSettings
from storage.keys.hpke import HPKE
from storage.sealed.format import parse_header, wrap_info
from storage.sealed.unwrap import open_header
from tests.support.footage.custodian import add_staff
from tests.support.network.apart import PLANTED, UIDS, Apart, apart, impossible, memory_of

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(slots=True)
class Watched:
    """What came of letting it record for a while."""

    stand: Apart
    rows: list[dict[str, Any]] = field(default_factory=list)
    images: list[tuple[int, bytes]] = field(default_factory=list)  # (when, ingest's memory)
    private: dict[str, Any] = field(default_factory=dict)  # what the custodian alone knows
    status: dict[str, Any] = field(default_factory=dict)
    loot: dict[str, dict[str, Any]] = field(default_factory=dict)
    verify: dict[str, Any] = field(default_factory=dict)

    def data_keys(self, row: dict[str, Any]) -> tuple[bytes, bytes]:
        """(data key, payload key) of a segment."""
        header = parse_header(row["header"])
        hour_key = X25519PrivateKey.from_private_bytes(
            bytes.fromhex(self.private["hour_keys"][str(row["hour_key_id"])])
        )
        info = wrap_info(header.core.hour_key_id, header.core_sha256)
        return HPKE.decrypt(header.wrap, hour_key, info=info), open_header(header, hour_key, {}).key


@pytest.fixture(scope="module")
def watched(store_server: Any) -> Iterator[Watched]:
    if reason := impossible():
        pytest.skip(reason)
    store = StoreSettings(
        endpoint=store_server.settings.endpoint,
        secure=False,
        bucket=f"apart-{uuid.uuid4().hex[:16]}",
        access_key=store_server.settings.access_key,
        secret_key=store_server.settings.secret_key,
    )
    (port,) = free_ports(1)
    with apart(
        store, replace(store_server.custodian, bucket=store.bucket), f"rtsp://127.0.0.1:{port}/camera/0"
    ) as stand:
        yield asyncio.run(_watch(stand, port))


async def _watch(stand: Apart, port: int) -> Watched:
    seen = Watched(stand=stand)
    prepared = stand.tallenne("operator", "catalogue", "prepare")
    assert prepared.returncode == 0, prepared.stderr
    live = LiveCamera(path="/camera/0", number=0, name="0", settings=live_settings((320, 192), 10, 200_000, 1))
    async with (
        owner_of(stand) as owner,
        RtspServer([live]).listening(port=port),
        Studio([live]).open(),
        stand.role("custodian") as custodian,
        stand.role("ingest", PLANTED=os.fsdecode(PLANTED)) as ingest,
    ):
        for segments in (3, 6):
            async with asyncio.timeout(120):
                while await owner.fetchval("SELECT count(*) FROM segment") < segments:
                    assert None is ingest.returncode is custodian.returncode, _logs(stand)
                    await asyncio.sleep(0.3)
            now_ns = time.time_ns()
            seen.images.append((now_ns, await asyncio.to_thread(memory_of, ingest.pid)))
        told = await asyncio.to_thread(stand.tallenne, "operator", "status", "--json")
        seen.status = json.loads(told.stdout)
        hour = [to_iso(time.time_ns() + hours * HOUR_NS) for hours in (-1, 1)]
        command = ("operator", "verify", "--start", hour[0], "--end", hour[1], "--json")
        told = await asyncio.to_thread(stand.tallenne, *command)
        assert told.returncode == 0, told.stderr
        seen.verify = json.loads(told.stdout)
        await _plunder(seen, owner, [custodian.pid])
        seen.rows = [dict(row) for row in await owner.fetch("SELECT * FROM segment ORDER BY start_ns")]
    return seen


@contextlib.asynccontextmanager
async def owner_of(stand: Apart) -> AsyncIterator[Any]:
    conn = await connect(stand.database("owner"))
    try:
        yield conn
    finally:
        await conn.close()


async def _plunder(seen: Watched, owner: Any, pids: list[int]) -> None:
    """All that each user can reach, while everything runs."""
    stand, rows = seen.stand, await owner.fetch("SELECT * FROM segment ORDER BY start_ns")
    seen.private = await asyncio.to_thread(
        stand.loot, "custodian", "custodian", {"keys": True, "directory": f"{stand.base}/var/custodian/custodian"}
    )
    used = {str(row["hour_key_id"]) for row in rows}
    hour_keys = [seen.private["hour_keys"][name] for name in used]
    secrets = [*hour_keys, *seen.private["entries"][:10]]
    secrets += [seen.private["own"]["signing"], seen.private["own"]["intake"]]
    secrets += [key.hex() for row in rows for key in seen.data_keys(dict(row))]
    staff = await add_staff(owner)
    told = {
        "roots": [str(stand.base)],
        "pids": pids,
        "secrets": secrets,
        "segments": [str(row["segment_id"]) for row in rows],
        "headers": [row["header"].hex() for row in rows],
        "camera": str(rows[0]["camera_id"]),
        "start_ns": rows[0]["start_ns"],
        "end_ns": rows[-1]["end_ns"],
        "session": {"session_id": str(staff.session_id), "purpose_id": str(staff.purpose_id)},
    }
    for user, role in (("ingest", "ingest"), ("serve", "serve"), ("custodian", "custodian")):
        seen.loot[user] = await asyncio.to_thread(stand.loot, user, role, told)
    known = told | {"hour_keys": hour_keys}
    seen.loot["with the keys"] = await asyncio.to_thread(stand.loot, "ingest", "ingest", known)


def _logs(stand: Apart) -> str:
    return "\n".join(path.read_text()[-2000:] for path in stand.base.glob("*.log"))


def test_ingests_user_reads_no_file_that_holds_a_secret(watched: Watched) -> None:
    loot = watched.loot["ingest"]
    assert loot["uid"] == UIDS["ingest"]
    assert loot["hits"] == []
    assert loot["readable"] > 10  # its spool, its identity, its own secrets, the status files
    assert [path for path in watched.loot["custodian"]["hits"] if path.endswith("/keyring")]  # the search finds it


def test_ingests_user_is_given_no_key_by_the_custodian(watched: Watched) -> None:
    """Though it says the session and the purpose of somebody who may."""
    answers = watched.loot["ingest"]["custodian"]
    assert answers.pop("identity") == "answered"
    assert set(answers) == {"open_segments", "open_for_verify", "open_headers", "open_intake", "make_past_keys"}
    assert set(answers.values()) == {"CustodianMisuseError: may not ask"}


def test_those_who_may_are_given_keys(watched: Watched) -> None:
    """Control: with that very session the api's user opens what ingest's could not; the operator verifies it."""
    answers = watched.loot["serve"]["custodian"]
    assert answers["open_segments"].endswith("keys")
    assert int(answers["open_segments"].split()[0]) >= 6
    assert answers["open_for_verify"] == answers["open_headers"] == "CustodianMisuseError: may not ask"
    assert watched.verify["ok"], watched.verify


def test_ingests_user_reads_no_other_process(watched: Watched) -> None:
    assert watched.loot["ingest"]["processes"] == []
    assert Path("/proc/self/environ").read_bytes()  # what was tried does work on one's own


def test_ingests_database_role_sees_no_key_and_cannot_change_what_is_recorded(watched: Watched) -> None:
    found = watched.loot["ingest"]["database"]
    assert found["hits"] == found["passed"] == []
    assert "segment" in found["readable"]
    secret = {"hour_key", "wrap_record", "staff", "staff_session", "purpose", "audit_entry", "member", "credential"}
    assert not secret & set(found["readable"])
    assert "hour_key" in watched.loot["custodian"]["database"]["readable"]


def test_bucket_opens_with_nothing_that_ingests_user_can_read(watched: Watched) -> None:
    found = watched.loot["ingest"]["opened"]
    assert found["objects"] >= 6
    assert found["tried"] >= 2  # its own signing key, the pinned signer
    assert found["opened"] == 0
    assert watched.loot["with the keys"]["opened"]["opened"] >= 6  # the attempt works, given the key


def test_memory_of_ingest_holds_no_key_of_a_closed_segment(watched: Watched) -> None:
    closed, open_now = [], []
    for at_ns, image in watched.images:
        assert PLANTED in image  # control: what searches finds a key that is there
        for row in watched.rows:
            found = [key in image for key in watched.data_keys(row)]
            if row["end_ns"] < at_ns - 1_000_000_000:
                closed += found
            elif row["start_ns"] < at_ns < row["end_ns"]:
                open_now += found
    assert len(closed) >= 12
    assert not any(closed)
    assert any(open_now)  # control: the cipher of the segment that is being written is there, and is recognised


def test_status_says_split_and_what_even_so_is_not_protected(watched: Watched) -> None:
    assert watched.status["protection"] == "split"
    assert any("Root" in line for line in watched.status["not_protected"])
    assert set(watched.status["missing"]) == {"index", "keeper", "live", "notify", "serve"}


def test_ingest_without_its_secret_says_which_one(watched: Watched) -> None:
    """The configuration is whole though secrets of other roles are away; one's own must be there."""
    done = watched.stand.tallenne("custodian", "ingest")
    assert done.returncode == 2
    assert "s3-access" in done.stderr or "db-ingest" in done.stderr
    done = watched.stand.tallenne("operator", "up")
    assert done.returncode == 2
    assert "Start each by itself" in done.stderr
