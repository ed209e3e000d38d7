"""The audit trail against a real database and a real store: what is removed or changed is named, and rings at once."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import urllib3
from minio import Minio
from minio.deleteobjects import DeleteObject

from custodian import role
from custodian.audit.heads import PREFIX, HeadBucket, HeadFile, name_of
from custodian.audit.log import batches
from custodian.audit.verify import Examination, Finding
from custodian.client import CustodianClient
from custodian.enrolment import load_or_enrol
from domain.ids import CameraId, SegmentId
from domain.time import NS, Span
from pipeline.embedded.store import Store
from runtime.database import connect
from runtime.errors import DatabaseError
from runtime.settings import CustodianSettings, StoreSettings
from runtime.status import read_status_files
from storage.catalogue import audit
from storage.keys import HourKeyCache
from storage.store import ObjectStore, open_store
from storage.store.errors import StoreRefusedError
from tests.conftest import Database
from tests.support.database.trail import Trail
from tests.support.footage.custodian import (
    Gym,
    add_camera,
    add_staff,
    custodian,
    custodian_settings,
    fetch_keys,
    record,
    until,
)

pytestmark = [pytest.mark.services, pytest.mark.trust]


@pytest.fixture
async def bucket(store: StoreSettings) -> AsyncIterator[ObjectStore]:
    async with open_store(store) as opened:
        await opened.ensure_bucket()
        yield opened


@pytest.fixture
def both(database: Database, tmp_path: Path, store: StoreSettings) -> CustodianSettings:
    """Heads in the file and in a bucket."""
    return custodian_settings(database.custodian, tmp_path, store=store, operator_uids=(os.geteuid(),))


async def _examined(
    owner: asyncpg.Connection, settings: CustodianSettings, bucket: ObjectStore, signer: bytes, **more: Any
) -> list[Finding]:
    heads = {place.name: await place.read() for place in (HeadFile(settings.audit_heads), HeadBucket(bucket))}
    examined = Examination(heads, signer, now_ns=time.time_ns(), **more)
    async for entries in batches(owner):
        examined.push(entries)
    return examined.finish()


async def _entries(client: CustodianClient, count: int) -> None:
    for number in range(count):
        await client.enrol(uuid.uuid4(), f"recorder {number}", os.urandom(32))  # type: ignore[arg-type]


def _told(settings: CustodianSettings) -> list[str]:
    return [problem["what"] for status in read_status_files(settings.run_directory) for problem in status["problems"]]


@asynccontextmanager
async def _undone(owner: asyncpg.Connection, statement: str) -> AsyncIterator[None]:
    changing = owner.transaction()
    await changing.start()
    await owner.execute(statement)
    try:
        yield
    finally:
        await changing.rollback()


async def test_any_change_of_the_table_is_named_against_heads_in_both_places(
    owner: asyncpg.Connection, both: CustodianSettings, bucket: ObjectStore
) -> None:
    async with custodian(both) as client:
        signer = (await client.identity()).signer
        await _entries(client, 5)
    assert await _examined(owner, both, bucket, signer) == []
    assert await _examined(owner, both, bucket, bytes(32))
    rehash = "hash = sha256(previous || audit_line(audit_entry))"
    for change, kind, first, last in (
        ("UPDATE audit_entry SET actor = 'nobody' WHERE seq = 3", "changed", 3, 3),
        ("UPDATE audit_entry SET writer = 'tallenne_serve' WHERE seq = 3", "changed", 3, 3),
        ("UPDATE audit_entry SET detail = '{}' WHERE seq = 5", "changed", 5, 5),
        ("DELETE FROM audit_entry WHERE seq = 2", "missing", 2, 2),
        ("DELETE FROM audit_entry WHERE seq = 5", "missing", 5, 5),
        ("DELETE FROM audit_entry", "missing", 1, 5),
        (
            f"UPDATE audit_entry SET actor = 'x' WHERE seq = 4; UPDATE audit_entry SET {rehash} WHERE seq = 4",
            "rewritten",
            4,
            4,
        ),
    ):
        async with _undone(owner, change):
            assert [(one.kind, one.first, one.last) for one in await _examined(owner, both, bucket, signer)] == [
                (kind, first, last)
            ], change


async def test_custodian_that_runs_rings_when_an_entry_is_gone_or_changed(
    owner: asyncpg.Connection, both: CustodianSettings, bucket: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role, "SWEEP_EVERY_S", 0.1)

    async def rings(text: str) -> bool:
        return any(text in told for told in _told(both))

    async with custodian(both) as client:
        await _entries(client, 3)
        kept = await owner.fetch("SELECT * FROM audit_entry ORDER BY seq")
        await owner.execute("DELETE FROM audit_entry WHERE seq = 3")
        await until(lambda: rings("entry 3 is no longer what the custodian signed"), seconds=20)
        await owner.execute("INSERT INTO audit_entry SELECT ($1::audit_entry).*", kept[2])
        await until(_no(rings, "entry 3"), seconds=20)
        await owner.execute("UPDATE audit_entry SET actor = 'nobody' WHERE seq = 1")
        await until(lambda: rings("entry 1 was changed"), seconds=20)
        signer, said = (await client.identity()).signer, await client.status()
        assert said["audit_signed_hash"] == kept[2]["hash"].hex()
    assert [one.kind for one in await _examined(owner, both, bucket, signer)] == ["changed"]


def _no(rings: Any, *text: str) -> Any:
    async def holds() -> bool:
        return not await rings(*text)

    return holds


async def test_place_that_lost_its_heads_rings_until_the_operator_restores_it(
    owner: asyncpg.Connection, both: CustodianSettings, bucket: ObjectStore, store_server: Store
) -> None:
    assert both.store is not None

    async def rings() -> bool:
        return any("holds no signed heads" in told for told in _told(both))

    for lose in ("file", "bucket"):
        async with custodian(both) as client:
            await _entries(client, 2)
        if lose == "file":
            both.audit_heads.write_bytes(b"")
        else:
            async with open_store(replace(store_server.keeper, bucket=both.store.bucket)) as keeper:
                for head in await HeadBucket(bucket).read():
                    await keeper.delete(name_of(head))
        async with custodian(both, ready=False) as client:
            await until(rings, seconds=20)
            signer = (await client.identity()).signer
            assert "place" in {one.kind for one in await _examined(owner, both, bucket, signer)}
            assert await client.restore_heads() > 0
            await until(_no(rings), seconds=20)
        assert await _examined(owner, both, bucket, signer) == []
    actions = [row["action"] for row in await owner.fetch("SELECT action FROM audit_entry ORDER BY seq")]
    assert actions.count("heads_restored") == 2


async def test_key_leaves_only_with_a_signed_head_over_its_entry(gym: Gym, settings: CustodianSettings) -> None:
    staff = await add_staff(gym.owner)
    for number in range(3):
        await gym.look(staff, span=Span(gym.span.start_ns, gym.span.end_ns + number))
        newest = (await HeadFile(settings.audit_heads).read())[-1].link
        entry = (await gym.entries())[-1]
        assert (newest.seq, newest.hash) == (entry["seq"], entry["hash"])


async def test_custodians_user_of_the_store_may_add_heads_and_nothing_else(store_server: Store) -> None:
    mine = store_server.custodian
    heads = Trail(3).heads(1, 2, 3)
    async with open_store(mine) as limited, open_store(store_server.settings) as everything:
        await everything.put_new("v1/x", b"x", size_bytes=1, sha256=bytes.fromhex(X_SHA256))
        place = HeadBucket(limited)
        for head in (*heads, heads[0]):
            await place.add(head)
        assert await place.read() == heads
        for refused in (
            limited.delete(name_of(heads[0])),
            limited.delete("v1/x"),
            limited.get_range("v1/x", 0, 1),
            limited.put_new("v1/y", b"x", size_bytes=1, sha256=bytes.fromhex(X_SHA256)),
            anext(limited.list("v1/")),
            anext(limited.list("")),
        ):
            with pytest.raises(StoreRefusedError):
                await refused
        assert _refused_deletions(mine, [name_of(head) for head in heads]) == 3
        assert await place.read() == heads
        assert await everything.get_range("v1/x", 0, 1) == b"x"
        async with open_store(store_server.keeper) as keeper:  # positive control
            for head in heads:
                await keeper.delete(name_of(head))
        assert [info async for info in everything.list(PREFIX)] == []


X_SHA256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def _refused_deletions(settings: StoreSettings, names: list[str]) -> int:
    """By the request that deletes many."""
    http = urllib3.PoolManager()
    client = Minio(
        settings.endpoint,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        secure=False,
        region="us-east-1",
        http_client=http,
    )
    refused = list(client.remove_objects(settings.bucket, [DeleteObject(name) for name in names]))
    http.clear()
    return len(refused)


# -- What the record says


def _opened(entry: asyncpg.Record) -> dict[str, Any]:
    detail: dict[str, Any] = json.loads(entry["detail"])
    return detail


async def test_empty_look_before_a_real_one_hides_nothing(gym: Gym) -> None:
    staff = await add_staff(gym.owner)
    assert await gym.look(staff, segment_ids=[]) == {}
    assert len(await gym.look(staff, segment_ids=[gym.segments[0].segment_id])) == 1
    assert len(await gym.look(staff)) == 3
    assert len(await gym.look(staff)) == 3
    entries = (await gym.entries())[-3:]
    assert [_opened(entry)["opened"] for entry in entries] == [0, 1, 2]
    camera = str(gym.camera_id)
    spans = [[[gym.segments[first].span.start_ns, gym.segments[last].span.end_ns]] for first, last in ((0, 0), (1, 2))]
    assert [_opened(entry)["spans"] for entry in entries] == [{}, {camera: spans[0]}, {camera: spans[1]}]


async def test_look_of_an_instant_gives_the_segment_of_that_instant_only(gym: Gym) -> None:
    staff = await add_staff(gym.owner)
    for number, segment in enumerate(gym.segments):
        for at_ns in (segment.span.start_ns, segment.span.end_ns - 1):
            instant = Span(at_ns, at_ns + 1)
            assert set(await gym.look(staff, segment_ids=[segment.segment_id], span=instant)) == {segment.segment_id}
            for other in gym.segments[:number] + gym.segments[number + 1 :]:
                with pytest.raises(Exception, match="no such footage"):
                    await gym.look(staff, segment_ids=[other.segment_id], span=instant)
    entry = next(entry for entry in await gym.entries() if entry["action"] == "look")
    assert _opened(entry)["spans"] == {str(gym.camera_id): [[gym.span.start_ns, gym.segments[0].span.end_ns]]}


async def test_segment_without_a_signed_end_counts_as_long_as_any_may_be(gym: Gym) -> None:
    staff = await add_staff(gym.owner)
    start_ns = gym.span.end_ns
    key = gym.cache.key_for(gym.camera_id, start_ns)
    untold = await record(gym.owner, gym.identity, key, b"plain", start_ns=start_ns, with_trailer=False)
    forged = await record(gym.owner, gym.identity, key, b"plain", start_ns=start_ns + 10 * NS)
    await gym.owner.execute(
        "UPDATE segment SET trailer = set_byte(trailer, 31, get_byte(trailer, 31) # 1) WHERE segment_id = $1",
        forged.segment_id,
    )
    for segment in (untold, forged):
        span = Span(segment.span.start_ns, segment.span.start_ns + 1)
        await gym.look(staff, segment_ids=[segment.segment_id], span=span)
        spans = _opened((await gym.entries())[-1])["spans"]
        assert spans == {str(gym.camera_id): [[segment.span.start_ns, segment.span.start_ns + 120 * NS]]}


async def test_keys_for_verification_are_on_record_with_cameras_and_spans(
    owner: asyncpg.Connection, database: Database, tmp_path: Path
) -> None:
    settings = custodian_settings(database.custodian, tmp_path, operator_uids=(os.geteuid(),))
    cameras = [(await add_camera(owner))[1] for _ in range(2)]
    async with custodian(settings) as client:
        identity = await load_or_enrol(tmp_path / "recorder", "recorder", client)
        cache = HourKeyCache(identity.pinned_signer)
        start_ns = time.time_ns() // (3600 * NS) * 3600 * NS
        await until(_keys_of(owner, cache, cameras, start_ns))
        segments = [
            await record(owner, identity, cache.key_for(camera, start_ns), b"x", start_ns=start_ns + at * 10 * NS)
            for camera in cameras
            for at in (0, 1, 5)
        ]
        expected = {
            str(camera): [[start_ns, start_ns + 20 * NS], [start_ns + 50 * NS, start_ns + 60 * NS]]
            for camera in cameras
        }
        ids = [segment.segment_id for segment in segments]
        assert len(await client.open_for_verify([*ids, SegmentId(uuid.uuid4())])) == 6
        assert len(await client.open_headers(segment.data[:210] for segment in segments[:3])) == 3
        verify, rebuild = (await owner.fetch("SELECT * FROM audit_entry ORDER BY seq"))[-2:]
    detail = _opened(verify)
    assert (detail["segments"], detail["opened"], detail["unknown"]) == (7, 6, 1)
    assert detail["spans"] == expected
    assert sorted(detail["cameras"]) == sorted(map(str, cameras))
    assert (rebuild["action"], rebuild["camera_id"]) == ("rebuild", cameras[0])
    assert (rebuild["start_ns"], rebuild["end_ns"]) == (start_ns, start_ns + 170 * NS)


def _keys_of(owner: asyncpg.Connection, cache: HourKeyCache, cameras: list[CameraId], start_ns: int) -> Any:
    async def holds() -> bool:
        await fetch_keys(owner, cache)
        return all(cache.ahead_ns(camera, start_ns) > 0 for camera in cameras)

    return holds


# -- Who may say what


async def add_member_session(owner: asyncpg.Connection) -> tuple[str, dict[str, Any]]:
    """The member as an actor, and their session."""
    member_id, session_id = uuid.uuid4(), uuid.uuid4()
    await owner.execute("INSERT INTO member VALUES ($1, 0)", member_id)
    values = (session_id, bytes(32), member_id, bytes(32))
    await owner.execute("INSERT INTO member_session VALUES ($1, $2, $3, $4, 0, 0)", *values)
    return f"member:{member_id}", {"session_id": session_id}


async def test_each_role_records_what_is_its_own_and_nothing_of_others(
    owner: asyncpg.Connection, database: Database
) -> None:
    staff, other = await add_staff(owner), await add_staff(owner)
    person, invented = f"staff:{staff.staff_id}", f"staff:{uuid.uuid4()}"
    session = {"session_id": staff.session_id}
    member, own = await add_member_session(owner)
    cases: list[tuple[str, str, str, dict[str, Any], bool]] = [
        ("custodian", "look", person, session, True),
        ("custodian", "look", person, {"session_id": other.session_id}, False),
        ("custodian", "look", invented, {}, False),
        ("custodian", "enrol", "user:0", {}, True),
        ("serve", "member_read", member, own, True),
        ("serve", "member_read", member, {}, False),
        ("serve", "member_read", member, session, False),
        ("serve", "register_exported", member, own, False),
        ("serve", "find", person, own, False),
        ("custodian", "look", member, own, False),
        ("custodian", "sign_in", person, session, False),
        ("index", "look", person, session, False),
        ("index", "look", "operator", {}, False),
        ("index", "members_imported", "operator", {}, True),
        ("index", "members_imported", person, {}, False),
        ("index", "members_imported", "operator", session, False),
        ("index", "invented", "operator", {}, False),
        ("serve", "sign_in", person, session, True),
        ("serve", "sign_in_failed", "nobody", {}, True),
        ("serve", "sign_in_failed", invented, {}, False),
        ("serve", "find", person, {"session_id": other.session_id}, False),
        ("serve", "look", person, session, False),
        ("serve", "heads_restored", person, session, False),
        ("owner", "staff_created", "operator", {}, True),
    ]
    written = 0
    for name, action, actor, more, may in cases:
        conn = await connect(getattr(database, name))
        try:
            entry = audit.Entry(actor=actor, action=action, **more)
            if may:
                await audit.append(conn, entry, 1)
                written += 1
                row = await owner.fetchrow("SELECT writer, seq FROM audit_entry ORDER BY seq DESC LIMIT 1")
                assert (row["seq"], row["writer"]) == (written, getattr(database, name).user), (name, action)
            else:
                with pytest.raises(DatabaseError, match="42501"):
                    await audit.append(conn, entry, 1)
        finally:
            await conn.close()
    ingest = await connect(database.ingest)
    with pytest.raises(DatabaseError):
        await audit.append(ingest, audit.Entry(actor="operator", action="members_imported"), 1)
    await ingest.close()
    assert await owner.fetchval("SELECT count(*) FROM audit_entry") == written


async def test_every_action_belongs_to_one_role(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch("SELECT writer, unnest(actions) AS action FROM audit_writer")
    assert sorted(row["action"] for row in rows) == sorted(audit.ACTIONS)
    for row in rows:
        assert not (row["writer"] != "tallenne_custodian" and row["action"] in ("look", "export")), row
