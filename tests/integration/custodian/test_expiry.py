"""Expiry against a real database: what dies, when, in which order, and what an operator decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from custodian.errors import CustodianMisuseError
from custodian.expiry import expire
from domain.time import DAY_NS, HOUR_NS
from runtime.database import open_pool
from storage.catalogue import Catalogue
from storage.catalogue.certificates import check_chain, read_certificates
from storage.keys import FileKeyring
from tests.conftest import Database
from tests.support.footage.past import Past, past

pytestmark = pytest.mark.services


@pytest.fixture
async def gym(database: Database, tmp_path: Path) -> AsyncIterator[Past]:
    async with past(database.owner, database.custodian, tmp_path) as made:
        yield made


async def states(gym: Past) -> list[str]:
    rows = await gym.owner.fetch("SELECT state FROM segment ORDER BY start_ns")
    return [row["state"] for row in rows]


async def test_footage_dies_at_its_hour_and_not_a_moment_before(gym: Past) -> None:
    short, long = await gym.camera(1), await gym.camera(12)
    dying, shadow = await gym.record(short), await gym.record(short, 1, state="shadow")
    living = await gym.record(long)
    assert await gym.opens(dying) == 2
    gym.clock.now_ns = gym.start_ns + 2 * HOUR_NS - 1  # retention of an hour, and the hour of recording
    assert await gym.expiry.run_once() == 0
    assert await gym.opens(dying) == 2
    gym.clock.now_ns += 1
    assert await gym.expiry.run_once() == 1
    assert await gym.opens([*dying, *shadow]) == 0
    assert await gym.opens(living) == 2
    assert sorted(await states(gym)) == ["expiring"] * 3 + ["live"] * 2
    assert gym.start_ns + 2 * HOUR_NS not in await gym.custody.keyring.hours()
    assert await gym.expiry.run_once() == 0
    assert gym.expiry.report()["overdue_s"] == 0


async def test_certificate_names_what_died_and_is_on_record(gym: Past) -> None:
    camera = await gym.camera(1)
    segments = await gym.record(camera, 3)
    for hours in (2, 3):
        gym.clock.now_ns = gym.start_ns + hours * HOUR_NS
        await gym.keys()
        await gym.expiry.run_once()
    certificates = await read_certificates(gym.owner, 0, 100)
    check_chain(certificates, gym.custody.signer)
    first = certificates[0].said()
    assert (first["segments"], first["camera_hours"]) == (3, 1)
    assert first["size_bytes"] == sum(len(segment.data) for segment in segments)
    entries = await gym.owner.fetch("SELECT detail FROM audit_entry WHERE action = 'expired'")
    assert len(entries) == len(certificates)


async def test_rows_restored_from_a_backup_do_not_open_and_expire_again(gym: Past) -> None:
    camera = await gym.camera(1)
    segments = await gym.record(camera)
    for table in ("hour_key", "segment", "segment_identity"):
        await gym.owner.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
    gym.clock.now_ns += 2 * HOUR_NS
    await gym.expiry.run_once()
    for table in ("hour_key", "segment", "segment_identity", "expired_key"):
        await gym.owner.execute(f"DELETE FROM {table}")
    await gym.owner.execute("INSERT INTO hour_key SELECT * FROM kept_hour_key")
    await gym.owner.execute("INSERT INTO segment SELECT * FROM kept_segment")
    await gym.owner.execute("INSERT INTO segment_identity SELECT * FROM kept_segment_identity")
    assert await states(gym) == ["live", "live"]
    assert await gym.opens(segments) == 0
    assert await gym.expiry.run_once() == 1
    assert await states(gym) == ["expiring", "expiring"]
    check_chain(await read_certificates(gym.owner, 0, 10), gym.custody.signer)


@pytest.mark.parametrize("place", ["expiry.decided", "expiry.dropped", "expiry.certificate", "expiry.certified"])
async def test_crash_at_any_step_is_made_good_at_the_next_start(
    gym: Past, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, other = await gym.camera(1), await gym.camera(12)
    segments, living = await gym.record(camera), await gym.record(other)
    gym.clock.now_ns += 2 * HOUR_NS

    class CrashError(Exception):
        pass

    def crash(name: str) -> None:
        if name == place:
            raise CrashError

    monkeypatch.setattr(expire, "hit", crash)
    with pytest.raises(CrashError):
        await gym.expiry.run_once()
    assert await gym.opens(segments) == 0  # decided: it no longer opens, whatever is left to do
    monkeypatch.undo()
    fresh = gym.new_expiry()
    await fresh.run_once()
    assert await gym.opens(segments) == 0
    assert await gym.opens(living) == 2
    assert sorted(await states(gym)) == ["expiring", "expiring", "live", "live"]
    certificates = await read_certificates(gym.owner, 0, 10)
    check_chain(certificates, gym.custody.signer)
    assert [one.said()["segments"] for one in certificates] == [2]
    ring = FileKeyring.load([gym.directory / "custody" / "keyring"])
    assert gym.start_ns + 2 * HOUR_NS not in await ring.hours()


async def test_clock_two_days_ahead_destroys_nothing_and_says_why(gym: Past) -> None:
    camera = await gym.camera(1)
    await gym.expiry.run_once()
    segments = await gym.record(camera)
    gym.clock.now_ns += 2 * DAY_NS
    assert await gym.expiry.run_once() == 0
    assert "h ahead of the time that the custodian saw last" in str(gym.expiry.held)
    assert await gym.new_expiry().run_once() == 0  # nor after a restart
    assert await gym.opens(segments) == 2
    gym.clock.now_ns -= 2 * DAY_NS  # the clock is mended
    assert await gym.expiry.run_once() == 0
    assert gym.expiry.held is None
    assert await gym.opens(segments) == 2


async def test_operator_decides_about_more_than_the_set_number(gym: Past) -> None:
    cameras = [await gym.camera(1) for _ in range(3)]
    segments = [segment for camera in cameras for segment in await gym.record(camera, 1)]
    expiry = gym.new_expiry(at_once=2)
    await expiry.run_once()
    gym.clock.now_ns += 2 * HOUR_NS
    await expiry.run_once()
    assert "3 camera-hours are overdue at once" in str(expiry.held)
    report = expiry.report()
    assert report["due_camera_hours"] == 3
    assert await gym.opens(segments) == 3
    with pytest.raises(CustodianMisuseError, match="more than the 2 that were shown"):
        await expiry.confirm(report["due_up_to_ns"], 2, "operator:0")
    await expiry.confirm(report["due_up_to_ns"], 3, "operator:0")
    after_restart = gym.new_expiry(at_once=2)
    await after_restart.run_once()
    assert await gym.opens(segments) == 0
    (certificate,) = await read_certificates(gym.owner, 0, 10)
    assert certificate.said()["confirmed_by"] == "operator:0"
    await gym.record(cameras[0], 1)
    gym.clock.now_ns += 2 * HOUR_NS  # the word was for those hours, not for later ones
    await after_restart.run_once()
    assert after_restart.held is None


async def test_pause_after_a_rebuild_holds_until_confirmed(gym: Past) -> None:
    segments = await gym.record(await gym.camera(1))
    await gym.expiry.run_once()
    await gym.owner.execute("INSERT INTO retention_pause VALUES ('the catalogue was rebuilt from the bucket', 0)")
    gym.clock.now_ns += 2 * HOUR_NS
    await gym.expiry.run_once()
    assert "rebuilt" in str(gym.expiry.held)
    assert await gym.opens(segments) == 2
    report: dict[str, Any] = gym.expiry.report()
    await gym.expiry.confirm(report["due_up_to_ns"], report["due_camera_hours"], "operator:0")
    await gym.expiry.run_once()
    assert await gym.opens(segments) == 0


async def test_late_segment_under_a_dead_key_is_acknowledged_and_never_shown(gym: Past, database: Database) -> None:
    camera = await gym.camera(1)
    (early,) = await gym.record(camera, 1)
    catalogue = Catalogue(gym.pool)
    late = await catalogue.segment(early.segment_id)
    assert late is not None
    await gym.owner.execute("DELETE FROM segment_identity")
    await gym.owner.execute("DELETE FROM segment")
    gym.clock.now_ns += 2 * HOUR_NS
    await gym.expiry.run_once()
    async with open_pool(database.ingest, application_name="ingest") as ingest:
        assert await Catalogue(ingest).commit_segment(late) == "expired"
        assert await Catalogue(ingest).commit_segment(late) == "duplicate"
    assert await states(gym) == ["expiring"]
    assert await gym.owner.fetchval("SELECT count(*) FROM expired_key WHERE removed_ns IS NULL AND segments = 0") == 1
    assert await gym.opens([early]) == 0


async def test_commit_and_expiry_at_the_same_time_leave_no_live_row_under_a_dead_key(
    gym: Past, database: Database
) -> None:
    camera = await gym.camera(1)
    recorded = await gym.record(camera, 30)
    catalogue = Catalogue(gym.pool)
    late = [await catalogue.segment(segment.segment_id) for segment in recorded]
    await gym.owner.execute("DELETE FROM segment_identity")
    await gym.owner.execute("DELETE FROM segment")
    gym.clock.now_ns += 2 * HOUR_NS
    async with open_pool(database.ingest, application_name="ingest") as ingest:
        committer = Catalogue(ingest)

        async def commit() -> list[str]:
            return [await committer.commit_segment(segment) for segment in late if segment is not None]

        async def end() -> None:
            await asyncio.sleep(0.02)
            await gym.expiry.run_once()

        outcomes, _ = await asyncio.gather(commit(), end())
    assert set(outcomes) <= {"live", "expired"}
    assert await states(gym) == ["expiring"] * 30
    dead = await gym.owner.fetchval("SELECT segments FROM expired_key WHERE camera_id = $1 AND segments > 0", camera)
    assert (dead or 0) == outcomes.count("live")
