"""What is kept longer comes back with a lost database: by a case that has not ended, or by a changed retention."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from custodian.client import CustodianClient
from custodian.journal import JournalKeeper
from domain.footage import Segment, SegmentState
from domain.time import DAY_NS, HOUR_NS
from pipeline.commands.checks.journal import CASES, tell_journal
from runtime.database import open_pool
from storage.journal import JOURNAL_PREFIX, JournalKind, JournalWriter
from storage.keys import FileKeyring
from storage.store import open_store
from tests.conftest import Database
from tests.integration.custodian.test_holds import held as held_in_past
from tests.integration.custodian.test_holds import person as person_in_past
from tests.integration.upkeep.test_journal import (
    StoreSettings,
    afterwards,
    expire_sooner,
    journalled,
    know_cameras,
    segments,
    stage,
)
from tests.support.footage.custodian import Staff, add_staff, until
from tests.support.footage.past import past
from upkeep.inspection.journal import JournalReplay

pytestmark = pytest.mark.services

NOTE = "INSERT INTO case_entry (case_id, kind, staff_id, added_ns, note) VALUES ($1, 'note', $2, $3, 'Aino called')"


async def person(owner: asyncpg.Pool) -> Staff:
    staff = await add_staff(owner, roles=("exporter",))
    await owner.execute("UPDATE staff_session SET stepped_up_ns = created_ns WHERE session_id = $1", staff.session_id)
    return staff


async def held(owner: asyncpg.Pool, client: CustodianClient, staff: Staff, segment: Segment) -> UUID:
    """A case that keeps this segment; its id."""
    case_id = uuid4()
    await owner.execute(
        "INSERT INTO case_file (case_id, number, title, reason, opened_by, opened_ns, review_ns)"
        " VALUES ($1, $2, 'Aino fell', 'Aino Virtanen asks', $3, $4, $5)",
        case_id,
        f"2026-{case_id.hex[:6]}",
        staff.staff_id,
        segment.span.start_ns,
        segment.span.end_ns + DAY_NS,
    )
    session: dict[str, Any] = {"session_id": staff.session_id, "purpose_id": staff.purpose_id}
    kept = await client.place_hold(case_id, kind="hold", camera_id=segment.camera_id, span=segment.span, **session)
    assert kept == 1
    return case_id


async def test_held_footage_comes_back_and_what_its_case_ended_does_not(
    database: Database,
    other_database: Database,
    store: StoreSettings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with stage(database, store, tmp_path) as before:
        scene = await before.scene()
        short = await expire_sooner(before, scene)
        assert await scene.run(segments=5, drain_s=20.0) == 0
        mine = [item for item in await segments(before.owner) if item.camera_id == short]
        first, second = await person(before.owner), await person(before.owner)
        kept = await held(before.owner, before.client, first, mine[1])
        ended = await held(before.owner, before.client, first, mine[3])
        await before.owner.execute(NOTE, kept, first.staff_id, mine[1].span.start_ns)
        await before.client.ask_case_end(ended, first.session_id, first.purpose_id)
        await before.client.end_case(ended, second.session_id, second.purpose_id)
        await journalled(before.owner)
        infos = [info async for info in before.objects.list(JOURNAL_PREFIX)]
        records = b"".join([await before.objects.get_range(info.name, 0, info.size_bytes) for info in infos])
        assert str(kept).encode() in records
        assert b"Aino" not in records  # what people typed stays out of the bucket
        lifetime = "SELECT expires_hour_ns FROM hour_key WHERE camera_id = $1 AND expires_hour_ns - hour_ns = $2"
        hours = await before.owner.fetch(lifetime, short, 25 * HOUR_NS)
    await FileKeyring.load([tmp_path / "custodian/keyring"]).drop([row["expires_hour_ns"] for row in hours])

    async with afterwards(other_database, store, tmp_path) as after:
        await know_cameras(after.owner, scene)
        report = await after.rebuilt()
        assert report.ok, report
        found = {item.segment_id: item.state for item in await segments(after.owner) if item.camera_id == short}
        alive = [segment_id for segment_id, state in found.items() if state is SegmentState.LIVE]
        assert alive == [mine[1].segment_id]
        assert len(found) == len(mine)
        opened = await after.client.open_for_verify([item.segment_id for item in mine])
        assert opened.keys() == {mine[1].segment_id}
        cases = await after.owner.fetch("SELECT case_id, state FROM case_file")
        assert {row["case_id"]: row["state"] for row in cases} == {kept: "open", ended: "closed"}
        # As the command says: what people typed comes from a backup only.
        assert await after.owner.fetchval("SELECT count(*) FROM case_entry") == 0
        assert await after.owner.fetchval("SELECT count(*) FROM case_file WHERE title = number") == 2
        tell_journal(report.journal)
        assert CASES in capsys.readouterr().out
        again = await after.rebuilt()
        assert not any(again.journal.rows.values())


async def test_footage_whose_retention_was_lengthened_comes_back_alive(
    database: Database, other_database: Database, store: StoreSettings, tmp_path: Path
) -> None:
    """Its hour keys are in the journal twice: at the old hour of expiry, which is over, and at the new one."""
    async with stage(database, store, tmp_path) as before:
        scene = await before.scene()
        short = await expire_sooner(before, scene)
        assert await scene.run(segments=3, drain_s=20.0) == 0
        mine = [item for item in await segments(before.owner) if item.camera_id == short]
        old = "SELECT DISTINCT expires_hour_ns FROM hour_key WHERE camera_id = $1 AND expires_hour_ns - hour_ns = $2"
        hours = [row["expires_hour_ns"] for row in await before.owner.fetch(old, short, 25 * HOUR_NS)]
        await before.owner.execute("UPDATE camera SET retention_s = 172800 WHERE camera_id = $1", short)

        async def moved() -> bool:
            left = "SELECT count(*) FROM hour_key WHERE hour_key_id = $1 AND expires_hour_ns - hour_ns = $2"
            return bool(await before.owner.fetchval(left, mine[0].hour_key_id, 49 * HOUR_NS))

        await until(moved)
        await journalled(before.owner)
    await FileKeyring.load([tmp_path / "custodian/keyring"]).drop(hours)

    async with afterwards(other_database, store, tmp_path) as after:
        await know_cameras(after.owner, scene)
        report = await after.rebuilt()
        assert report.ok, report
        states = {item.state for item in await segments(after.owner) if item.camera_id == short}
        assert states == {SegmentState.LIVE}
        opened = await after.client.open_for_verify([item.segment_id for item in mine])
        assert opened.keys() == {item.segment_id for item in mine}


async def test_footage_whose_retention_was_shortened_is_over_in_an_older_copy_too(
    database: Database, store: StoreSettings, tmp_path: Path
) -> None:
    """The copy says that its keys live for hours to come. Otherwise its rows stay, and name objects that are gone."""
    async with (
        past(database.owner, database.custodian, tmp_path) as gym,
        open_pool(database.owner, application_name="test", max_size=2) as owner,
        open_store(store) as objects,
    ):
        await objects.ensure_bucket()
        writer = JournalWriter(objects, gym.custody.signer, gym.custody.signing.sign)
        gym.journal = JournalKeeper(gym.pool, writer)
        shortened, other = await gym.camera(15), await gym.camera(15)
        over, living = await gym.record(shortened, 2), await gym.record(other, 2)
        await owner.execute("CREATE TABLE copied_key AS SELECT * FROM hour_key")
        await owner.execute("CREATE TABLE copied_segment AS SELECT * FROM segment")
        await owner.execute("UPDATE camera SET retention_s = 3600 WHERE camera_id = $1", shortened)
        gym.clock.now_ns += 3 * HOUR_NS
        await gym.expiry.confirm(gym.clock.now_ns, 1, "operator:0", {str(shortened): 3600})
        await gym.change.run_once()
        await gym.expiry.run_once()
        await gym.journal.all_written()
        assert (await gym.opens(over), await gym.opens(living)) == (0, 2)

        # The copy comes back: it knows nothing of a dead key.
        for table in ("expired_key", "certificate", "segment", "hour_key"):
            await owner.execute(f"DELETE FROM {table}")
        await owner.execute("INSERT INTO hour_key SELECT * FROM copied_key")
        await owner.execute("INSERT INTO segment SELECT * FROM copied_segment")
        hours = frozenset(await gym.custody.keyring.hours())
        replay = JournalReplay(owner, objects, signer=gym.custody.signer, living_hours=hours, clock_ns=gym.clock)
        await replay.before_footage()
        rows = await owner.fetch("SELECT camera_id, state FROM segment")
        assert {row["state"] for row in rows if row["camera_id"] == shortened} == {"expiring"}
        assert {row["state"] for row in rows if row["camera_id"] == other} == {"live"}
        assert (await gym.opens(over), await gym.opens(living)) == (0, 2)


@pytest.mark.parametrize("how", ["removed", "overwritten"])
async def test_database_comes_back_without_records_that_others_name(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path, how: str
) -> None:
    """Whoever may write to the bucket, or delete there, cannot keep everything else from coming back."""
    async with (
        past(database.owner, database.custodian, tmp_path) as gym,
        open_pool(database.owner, application_name="test", max_size=2) as owner,
        open_store(store) as objects,
        open_store(keeper_store) as keeper,
    ):
        await objects.ensure_bucket()
        writer = JournalWriter(objects, gym.custody.signer, gym.custody.signing.sign)
        gym.journal = JournalKeeper(gym.pool, writer)
        camera = await gym.camera(3)
        kept, over = await gym.record(camera, 2)
        case_id, _ = await held_in_past(gym, camera, [kept], await person_in_past(gym))
        gym.clock.now_ns += 5 * HOUR_NS
        await gym.expiry.confirm(gym.clock.now_ns, 1, "operator:0", {})
        await gym.expiry.run_once()
        certified = {row["certificate"] for row in await owner.fetch("SELECT certificate FROM expired_key")}
        await gym.journal.all_written()
        for kind in (JournalKind.CASE, JournalKind.CERTIFICATE):
            for info in [info async for info in objects.list(f"{JOURNAL_PREFIX}{kind}/")]:
                await keeper.delete(info.name)
                if how == "overwritten":
                    await objects.put_new(info.name, b"x", size_bytes=1, sha256=hashlib.sha256(b"x").digest())
        for table in ("expired_key", "certificate", "wrap_record", "hold", "case_file", "hour_key"):
            await owner.execute(f"DELETE FROM {table}")

        hours = frozenset(await gym.custody.keyring.hours())
        replay = JournalReplay(owner, objects, signer=gym.custody.signer, living_hours=hours, clock_ns=gym.clock)
        await replay.before_footage()
        lost = {item.name for item in replay.report.refused if "the bucket lacks it" in item.reason}
        assert lost == {f"case {case_id}", *(f"certificate {number}" for number in certified)}
        assert await owner.fetchval("SELECT state FROM case_file WHERE case_id = $1", case_id) == "open"
        assert await owner.fetchval("SELECT count(*) FROM hold WHERE ended_ns IS NULL") == 1
        assert await owner.fetchval("SELECT count(*) FROM wrap_record WHERE segment_id = $1", kept.segment_id) == 1
        await owner.execute("DELETE FROM retention_pause")
        await gym.expiry.run_once()
        assert await owner.fetchval("SELECT count(*) FROM expired_key WHERE certificate IS NULL") == 0
        assert await gym.opens([kept]) == 1
        assert await gym.opens([over]) == 0


async def test_only_the_owner_leaves_something_out_of_the_journal(database: Database) -> None:
    """A custom setting is everyone's: the user of a role could open cases that a lost database would not know."""
    async with (
        open_pool(database.owner, application_name="test", max_size=1) as owner,
        open_pool(database.serve, application_name="test", max_size=1) as serve,
    ):
        opened = "INSERT INTO case_file (case_id, number, title, reason, opened_by, opened_ns, review_ns)"
        for pool, number in ((serve, "2026-1"), (owner, "2026-2")):
            async with pool.acquire() as conn, conn.transaction():
                await conn.execute("SET LOCAL tallenne.from_journal = 'on'")
                await conn.execute(f"{opened} VALUES ($1, $2, 'a case', 'a reason', $1, 0, 0)", uuid4(), number)
        written = await owner.fetch("SELECT entry ->> 'number' AS number FROM journal_outbox WHERE kind = 'case_file'")
        assert [row["number"] for row in written] == ["2026-1"]
