"""The custodian against a real database: keys made, segments opened on record only, heads signed."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
import uuid
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from custodian.address import socket_address
from custodian.enrolment import enrol_again, load_or_enrol
from custodian.errors import CustodianAwayError, CustodianMisuseError, LookRefusedError
from custodian.keys.hour_keys import HourKeyMaker
from domain.ids import SegmentId, SessionId
from domain.time import HOUR_NS, Span, hour_of
from runtime.database import connect
from runtime.errors import PrivateFileError
from runtime.settings import CustodianSettings
from runtime.status import read_status_files
from storage.keys import HourKeyCache, KeyFileError
from storage.keys.intake import seal_to
from tests.conftest import Database
from tests.support.footage.custodian import (
    Gym,
    Staff,
    add_camera,
    add_staff,
    custodian,
    fetch_keys,
    until,
)
from tests.support.footage.sealed import open_ranges

pytestmark = pytest.mark.services

MISSING = SegmentId(uuid.uuid4())


async def _problem_shown(settings: CustodianSettings) -> bool:
    return any(status["problems"] for status in read_status_files(settings.run_directory))


async def _keys_made(owner: asyncpg.Connection, count: int) -> bool:
    return bool(await owner.fetchval("SELECT count(*) FROM hour_key") >= count)


async def test_custodian_makes_signed_keys_for_every_camera_and_hour_ahead(
    owner: asyncpg.Connection, settings: CustodianSettings
) -> None:
    cameras = [(await add_camera(owner, retention_s=3600 * hours))[1] for hours in (1, 72)]
    hour = hour_of(time.time_ns())
    async with custodian(settings) as client:
        identity = await client.identity()
        await until(lambda: _keys_made(owner, 12))
        cache = HourKeyCache(identity.signer)
        await fetch_keys(owner, cache)
        for camera_id in cameras:
            assert cache.ahead_ns(camera_id, hour) == 6 * HOUR_NS
        assert cache.refused == 0
    lifetimes = await owner.fetch(
        "SELECT DISTINCT camera_id, expires_hour_ns - hour_ns AS ns FROM hour_key ORDER BY ns"
    )
    assert [(row["camera_id"], row["ns"] // HOUR_NS) for row in lifetimes] == [(cameras[0], 2), (cameras[1], 73)]


async def test_custodian_restarted_keeps_its_keys_and_supplies_a_new_camera(
    owner: asyncpg.Connection, settings: CustodianSettings
) -> None:
    await add_camera(owner)
    async with custodian(settings) as client:
        before = await client.identity()
        await until(lambda: _keys_made(owner, 6))
    made = await owner.fetchval("SELECT count(*) FROM hour_key")
    async with custodian(settings) as client:
        assert await client.identity() == before
        assert await owner.fetchval("SELECT count(*) FROM hour_key") == made == 6
        await add_camera(owner)
        await until(lambda: _keys_made(owner, 12))


async def test_custodian_after_a_changed_retention_replaces_the_keys(
    owner: asyncpg.Connection, settings: CustodianSettings
) -> None:
    _, camera_id = await add_camera(owner, retention_s=7200)
    async with custodian(settings):
        await until(lambda: _keys_made(owner, 6))  # ready are the hours at hand; the others follow
    await owner.execute("UPDATE camera SET retention_s = 3600")
    async with custodian(settings) as client:
        await until(lambda: _keys_made(owner, 12))
        rows = await owner.fetch("SELECT state, expires_hour_ns - hour_ns AS ns FROM hour_key ORDER BY serial")
        assert [(row["state"], row["ns"] // HOUR_NS) for row in rows] == [("draining", 3)] * 6 + [("active", 2)] * 6
        cache = HourKeyCache((await client.identity()).signer)
        await fetch_keys(owner, cache)
        assert cache.key_for(camera_id, time.time_ns()).serial > 6


async def test_custodian_is_not_ready_while_a_new_camera_has_no_keys(
    owner: asyncpg.Connection, settings: CustodianSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_make, make = asyncio.Event(), HourKeyMaker._make
    may_make.set()

    async def held(self: HourKeyMaker, wanted: Any) -> None:
        await may_make.wait()
        await make(self, wanted)

    async def is_ready() -> bool:
        return all(status["state"] == "ready" for status in read_status_files(settings.run_directory))

    async def is_starting() -> bool:
        return not await is_ready()

    monkeypatch.setattr(HourKeyMaker, "_make", held)
    await add_camera(owner)
    async with custodian(settings):
        await until(lambda: _keys_made(owner, 6))
        may_make.clear()
        await add_camera(owner)
        await until(is_starting)
        may_make.set()
        await until(is_ready)
        assert await _keys_made(owner, 8)


async def test_private_halves_are_nowhere_in_the_database_in_clear(gym: Gym, database: Database) -> None:
    assert await gym.owner.fetchval("SELECT bool_and(length(sealed_private) = 65) FROM hour_key")
    ingest = await connect(database.ingest)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ingest.fetch("SELECT sealed_private FROM hour_key")
        assert await ingest.fetch("SELECT public_key FROM hour_key_public")
    finally:
        await ingest.close()


async def test_look_that_is_allowed_opens_and_is_on_record_once(gym: Gym) -> None:
    staff = await add_staff(gym.owner, camera_id=gym.camera_id)
    keys = await gym.look(staff)
    for segment in gym.segments:
        assert open_ranges(segment.data, keys[segment.segment_id], [(0, 1 << 40), (100, 101)]) == [
            segment.plain,
            segment.plain[100:101],
        ]
    await gym.look(staff)
    entries = [entry for entry in await gym.entries() if entry["actor"] == f"staff:{staff.staff_id}"]
    assert len(entries) == 1
    entry = entries[0]
    assert (entry["action"], entry["session_id"], entry["purpose_id"], entry["camera_id"]) == (
        "look",
        staff.session_id,
        staff.purpose_id,
        gym.camera_id,
    )
    assert Span(entry["start_ns"], entry["end_ns"]) == gym.span
    await gym.look(staff, span=Span(gym.span.start_ns, gym.span.end_ns + 1))
    assert len(await gym.entries()) == len(entries) + 2  # the enrolment, and another span is another look


async def test_look_that_is_not_allowed_is_refused_and_on_record(gym: Gym) -> None:
    _, other_camera = await add_camera(gym.owner)
    good = await add_staff(gym.owner)
    cases: list[tuple[Staff, dict[str, Any]]] = [
        (await add_staff(gym.owner, roles=()), {}),
        (await add_staff(gym.owner, roles=("admin", "auditor")), {}),
        (await add_staff(gym.owner, second_factor=False), {}),
        (await add_staff(gym.owner, camera_id=other_camera), {}),
        (good, {"action": "export"}),
        (good, {"camera_id": other_camera}),
        (good, {"segment_ids": [MISSING]}),
        (good, {"segment_ids": [gym.segments[0].segment_id, MISSING]}),
        (good, {"span": Span(gym.span.start_ns - 2 * HOUR_NS, gym.span.start_ns)}),
        (good, {"span": Span(gym.span.end_ns + HOUR_NS, gym.span.end_ns + 2 * HOUR_NS)}),
    ]
    texts = set()
    for number, (staff, changed) in enumerate(cases, 2):
        with pytest.raises(LookRefusedError) as caught:
            await gym.look(staff, **changed)
        texts.add(str(caught.value))
        entries = await gym.entries()
        assert (len(entries), entries[-1]["action"].endswith("_refused")) == (number, True)
    assert len(texts) == 1
    assert await gym.look(good)  # positive control


async def test_look_with_a_foreign_purpose_or_session_is_refused(gym: Gym) -> None:
    one, two = await add_staff(gym.owner), await add_staff(gym.owner)
    for changed in ({"purpose_id": two.purpose_id}, {"session_id": SessionId(uuid.uuid4())}):
        with pytest.raises(LookRefusedError):
            await gym.look(one, **changed)


async def test_shadow_and_expired_segments_open_for_nobody_of_the_staff(gym: Gym) -> None:
    staff = await add_staff(gym.owner)
    await gym.owner.execute("UPDATE segment SET state = 'shadow' WHERE segment_id = $1", gym.segments[0].segment_id)
    with pytest.raises(LookRefusedError):
        await gym.look(staff)
    await gym.owner.execute("UPDATE segment SET state = 'live'")
    await gym.owner.execute("UPDATE hour_key SET state = 'dead'")
    assert await gym.look(staff) == {}


async def test_forged_header_in_the_catalogue_opens_nothing(gym: Gym) -> None:
    staff = await add_staff(gym.owner)
    first, second = gym.segments[0], gym.segments[1]
    spliced = first.data[:130] + second.data[130:210]
    await gym.owner.execute("UPDATE segment SET header = $1 WHERE segment_id = $2", spliced, first.segment_id)
    keys = await gym.look(staff)
    assert set(keys) == {segment.segment_id for segment in gym.segments[1:]}
    await gym.owner.execute("UPDATE segment SET header = $1 WHERE segment_id = $2", second.data[:210], first.segment_id)
    assert set(await gym.look(staff)) == set(keys)


async def test_newest_wrap_record_has_precedence(gym: Gym) -> None:
    staff = await add_staff(gym.owner)
    segment = gym.segments[0]
    statement = "INSERT INTO wrap_record (segment_id, hour_key_id, wrap, created_ns) VALUES ($1, $2, $3, 0)"
    hour_key_id = await gym.owner.fetchval("SELECT hour_key_id FROM segment LIMIT 1")
    await gym.owner.execute(statement, segment.segment_id, hour_key_id, bytes(80))
    assert segment.segment_id not in await gym.look(staff)
    await gym.owner.execute(statement, segment.segment_id, hour_key_id, segment.data[130:210])
    assert segment.segment_id in await gym.look(staff)


async def test_verify_opens_for_the_operator_only(gym: Gym, settings: CustodianSettings) -> None:
    with pytest.raises(CustodianMisuseError, match="may not ask"):
        await gym.client.open_for_verify([gym.segments[0].segment_id])


async def test_recorder_enrolled_again_is_the_same_and_another_key_is_refused(gym: Gym, tmp_path: Path) -> None:
    await enrol_again(gym.identity, "recorder", gym.client)
    again = await load_or_enrol(tmp_path / "recorder", "recorder", gym.client)
    assert again.recorder_id == gym.identity.recorder_id
    with pytest.raises(CustodianMisuseError):
        await gym.client.enrol(gym.identity.recorder_id, "recorder", bytes(32))
    await gym.owner.execute("UPDATE recorder SET revoked_ns = 1")
    with pytest.raises(CustodianMisuseError):
        await enrol_again(gym.identity, "recorder", gym.client)
    assert [entry["action"] for entry in await gym.entries()] == ["enrol"]


async def test_intake_opens_what_was_sealed_to_it_and_puts_it_on_record(gym: Gym) -> None:
    public_key = (await gym.client.identity()).intake
    assert await gym.client.open_intake(seal_to(public_key, b"payload")) == b"payload"
    assert (await gym.entries())[-1]["action"] == "open_intake"
    with pytest.raises(CustodianMisuseError):
        await gym.client.open_intake(bytes(60))


async def test_strangers_are_turned_away_by_the_kernels_word(settings: CustodianSettings) -> None:
    async with custodian(dataclasses.replace(settings, allowed_uids=(os.geteuid() + 1,))) as client:
        with pytest.raises(CustodianAwayError):
            await client.identity()


@pytest.mark.parametrize(
    "message", [b"\x00\x00\x00\x04null", b"\xff\xff\xff\xff", b"\x00\x00\x00\x02{}", b"\x00\x00\x00\x03{{{"]
)
async def test_malformed_message_gets_an_error_and_harms_nobody(settings: CustodianSettings, message: bytes) -> None:
    async with custodian(settings) as client:
        with socket_address(settings.socket) as address:
            reader, writer = await asyncio.open_unix_connection(address)
        writer.write(message)
        answer = await reader.readexactly(4)
        assert b'"code":"misuse"' in await reader.readexactly(int.from_bytes(answer, "big"))
        writer.close()
        assert await client.identity()


async def test_keyring_readable_by_others_stops_the_custodian_with_a_remedy(settings: CustodianSettings) -> None:
    async with custodian(settings):
        pass
    (settings.directory / "keyring").chmod(0o640)
    with pytest.raises(PrivateFileError, match="chmod 600"):
        async with custodian(settings):
            pass
    (settings.directory / "keyring").unlink()
    with pytest.raises(KeyFileError, match="Restore a replica"):
        async with custodian(settings):
            pass


async def test_second_custodian_on_the_same_directory_is_refused(settings: CustodianSettings) -> None:
    async with custodian(settings):
        with pytest.raises(CustodianMisuseError, match="Another custodian"):
            async with custodian(settings, ready=False):
                await asyncio.sleep(0.5)


async def test_custodian_without_its_database_stays_up_and_says_so(settings: CustodianSettings) -> None:
    away = dataclasses.replace(settings, database=dataclasses.replace(settings.database, host="127.0.0.1", port=1))
    async with custodian(away, ready=False) as client:
        await until(lambda: _problem_shown(settings))
        assert await client.identity()
        with pytest.raises(CustodianAwayError):
            await client.enrol(uuid.uuid4(), "recorder", bytes(32))  # type: ignore[arg-type]
