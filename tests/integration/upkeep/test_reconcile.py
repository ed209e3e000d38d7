"""Rows and objects part company in every way; reconcile says which and repairs; rebuild makes the rows anew."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from custodian.client import CustodianClient
from custodian.errors import CustodianAwayError, CustodianMisuseError
from domain.footage import Segment, SegmentState
from domain.ids import SegmentId
from domain.time import NS
from storage.catalogue.rows import gap_from_row
from storage.keys import RecorderIdentity
from storage.sealed import object_name, object_name_of
from storage.sealed.format import ZERO_HASH, parse_header, parse_trailer
from storage.sealed.sealer import sign_trailer
from tests.integration.storage.footage import Footage, but_epochs, turn
from tests.support.footage.recording import assert_tiled
from tests.support.processes.record_process import read_account
from tests.support.processes.repair_process import later
from upkeep.inspection import Flaw
from upkeep.inspection.restore import Restored
from upkeep.rebuild import RebuildReport, rebuild
from upkeep.reconcile import ReconcileReport, reconcile
from upkeep.verify import verify

pytestmark = pytest.mark.services


async def reconciled(recorded: Footage, **more: Any) -> ReconcileReport:
    values: dict[str, Any] = {"grace_ns": 0, "clock_ns": later}
    return await reconcile(recorded.stage.owner, recorded.stage.objects, recorded.stage.client, **(values | more))


async def rebuilt(recorded: Footage, **more: Any) -> RebuildReport:
    values: dict[str, Any] = {"grace_ns": 0, "clock_ns": later}
    return await rebuild(recorded.stage.owner, recorded.stage.objects, recorded.stage.client, **(values | more))


async def drop_rows(recorded: Footage, *segments: Segment) -> None:
    for segment in segments:
        for table in ("segment", "segment_identity"):
            await recorded.stage.owner.execute(f"DELETE FROM {table} WHERE segment_id = $1", segment.segment_id)


async def names(recorded: Footage) -> list[str]:
    return [info.name async for info in recorded.stage.objects.list("v1/")]


async def quarantine(recorded: Footage) -> dict[str, str]:
    rows = await recorded.stage.owner.fetch("SELECT object_name, reason FROM object_quarantine")
    return {row["object_name"]: row["reason"].split(":")[0] for row in rows}


async def tiled(recorded: Footage) -> None:
    segments = [item for item in await recorded.segments() if item.state is SegmentState.LIVE]
    for camera_id in recorded.scene.cameras:
        rows = await recorded.stage.owner.fetch("SELECT * FROM gap WHERE camera_id = $1", camera_id)
        mine = [item.span for item in segments if item.camera_id == camera_id]
        assert_tiled(mine, [gap_from_row(row).span for row in rows])


def brief(segment: Segment) -> tuple[Any, ...]:
    return segment.camera_id, segment.span, segment.state, segment.recovered


# -- Objects that somebody might put into the bucket


async def put_forged(recorded: Footage, segment: Segment, identity: RecorderIdentity) -> str:
    """Genuine bytes under a new id, signed by somebody who is not enrolled (or is, and may not be believed)."""
    data = bytearray(await recorded.data(segment))
    start_ns = segment.span.start_ns
    header = parse_header(bytes(data[:210]))
    trailer = parse_trailer(bytes(data[-168:]))
    forged = sign_trailer(
        core_sha256=header.core_sha256,
        state=trailer.state,
        end_ns=trailer.end_ns,
        plain_len=trailer.plain_len,
        sealed_sha256=trailer.sealed_sha256,
        previous_sha256=ZERO_HASH,
        recorder_id=identity.recorder_id,
        sign=identity.sign,
    )
    data[-168:] = forged
    name = object_name(
        site_id=segment.site_id,
        camera_id=segment.camera_id,
        segment_id=SegmentId(uuid.uuid4()),
        start_ns=start_ns,
    )
    await recorded.put(name, bytes(data))
    return name


# -- Reconcile


async def test_rows_and_objects_that_agree_are_left_alone(recorded: Footage) -> None:
    segments = await recorded.segments()
    for repair in (False, True):
        report = await reconciled(recorded, repair=repair)
        assert report.ok, report
        assert (report.rows, report.objects) == (len(segments), len(segments))
    assert await recorded.segments() == segments
    assert await quarantine(recorded) == {}


async def test_missing_object_is_reported_and_repaired_as_a_gap(recorded: Footage) -> None:
    segments = await recorded.segments()
    gone = [segments[2], segments[7]]
    for segment in gone:
        await recorded.delete(segment)
    report = await reconciled(recorded)
    assert {(item.segment_id, item.flaw, item.repaired) for item in report.bad_rows} == {
        (segment.segment_id, Flaw.MISSING, False) for segment in gone
    }
    assert await recorded.segments() == segments  # only told
    await recorded.stage.owner.execute("DELETE FROM outbox")
    report = await reconciled(recorded, repair=True)
    assert report.bad_row_count == 2
    assert all(item.repaired for item in report.bad_rows)
    after = await recorded.segments()
    assert {item.segment_id for item in after if item.state is SegmentState.GONE} == {i.segment_id for i in gone}
    told = await recorded.stage.owner.fetch("SELECT ref FROM outbox WHERE kind = 'segment'")
    assert {row["ref"] for row in told} == {item.segment_id for item in gone}
    await tiled(recorded)
    assert (await reconciled(recorded, repair=True)).ok


async def test_all_objects_of_a_camera_missing_are_found_without_any_listing(recorded: Footage) -> None:
    segments = await recorded.segments()
    camera = segments[0].camera_id
    mine = [item for item in segments if item.camera_id == camera]
    for segment in mine:
        await recorded.delete(segment)
    report = await reconciled(recorded)
    assert {item.segment_id for item in report.bad_rows} == {item.segment_id for item in mine}


async def test_overwritten_object_is_found_by_size_and_by_hash(recorded: Footage) -> None:
    first, second, third, *_ = await recorded.segments()
    await recorded.overwrite(first, lambda data: data[:-5])
    await recorded.overwrite(second, turn(8 * 2000))
    before = await recorded.data(third)
    await recorded.overwrite(third, lambda data: None)  # the same bytes again: no harm done
    await recorded.stage.owner.execute("UPDATE segment SET committed_ns = committed_ns - $1", 3600 * NS)
    report = await reconciled(recorded, repair=True, grace_ns=0)
    assert {(item.segment_id, item.flaw) for item in report.bad_rows} == {
        (first.segment_id, Flaw.SIZE),
        (second.segment_id, Flaw.HASH),
    }
    assert await quarantine(recorded) == {object_name_of(first): "size", object_name_of(second): "hash"}
    assert await recorded.data(third) == before
    await tiled(recorded)
    report = await reconciled(recorded, repair=True)
    assert report.ok
    assert report.leftover == 2  # never deleted


async def test_orphan_gets_its_row_back_exactly(recorded: Footage) -> None:
    segments = await recorded.segments()
    orphans = [segments[1], next(item for item in segments if item.recovered), segments[-1]]
    await drop_rows(recorded, *orphans)
    report = await reconciled(recorded)
    assert report.orphan_count == 3
    assert {item.restored for item in report.orphans} == {Restored.ROW}
    assert len(await recorded.segments()) == len(segments) - 3
    report = await reconciled(recorded, repair=True)
    assert {item.name for item in report.orphans} == {object_name_of(item) for item in orphans}
    assert but_epochs(await recorded.segments()) == but_epochs(segments)
    await tiled(recorded)
    assert (await reconciled(recorded)).ok
    trail = await recorded.stage.owner.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'rebuild'")
    assert trail >= 1


async def test_orphan_that_a_gap_stands_for_takes_the_gaps_place(recorded: Footage) -> None:
    """Its upload's reply was lost and it was dropped to make room: the footage is there after all."""
    segments = await recorded.segments()
    await drop_rows(recorded, segments[3])
    span = segments[3].span
    await recorded.stage.owner.execute(
        "INSERT INTO gap VALUES ($1, $2, $3, 'spool_full', 'dropped to make room')",
        segments[3].camera_id,
        span.start_ns,
        span.end_ns,
    )
    await tiled(recorded)
    assert (await reconciled(recorded, repair=True)).orphan_count == 1
    assert but_epochs(await recorded.segments()) == but_epochs(segments)
    await tiled(recorded)


async def test_young_object_is_no_orphan_yet(recorded: Footage) -> None:
    segments = await recorded.segments()
    await drop_rows(recorded, segments[0])
    report = await reconciled(recorded, repair=True, grace_ns=2 * 3600 * NS)
    assert report.ok
    assert report.young == 1
    assert len(await recorded.segments()) == len(segments) - 1


async def test_what_is_not_genuine_goes_to_the_quarantine_and_stays_in_the_bucket(recorded: Footage) -> None:
    segments = await recorded.segments()
    whole = [item for item in segments if not item.recovered and item.size_bytes > 20_000]
    expected = {}
    stranger = RecorderIdentity.create(bytes(32))
    expected[await put_forged(recorded, whole[0], stranger)] = "unsigned"
    expected[await put_forged(recorded, whole[1], recorded.stage.identity)] = "name"
    truncated, flipped, other = whole[2], whole[3], whole[4]
    await drop_rows(recorded, truncated, flipped, other)
    await recorded.overwrite(truncated, lambda data: data[:-1000])
    expected[object_name_of(truncated)] = "trailer"
    await recorded.overwrite(flipped, turn(8 * 9000))
    expected[object_name_of(flipped)] = "chunk"
    await recorded.overwrite(other, lambda data: bytearray(b"not an object at all" * 100))
    expected[object_name_of(other)] = "header"
    tiny = object_name_of(replace(segments[0], segment_id=SegmentId(uuid.uuid4())))
    await recorded.put(tiny, b"tiny")
    expected[tiny] = "size"
    await recorded.put(f"v1/{uuid.uuid4()}/somebody-elses.txt", b"hello")
    before = await names(recorded)
    report = await reconciled(recorded)
    assert {item.restored for item in report.orphans} == {Restored.QUARANTINED}
    assert await quarantine(recorded) == {}
    report = await reconciled(recorded, repair=True)
    found = await quarantine(recorded)
    assert found.keys() == expected.keys()
    assert {name: found[name] for name in found if name != object_name_of(truncated)} == {
        name: reason for name, reason in expected.items() if name != object_name_of(truncated)
    }
    assert found[object_name_of(truncated)] in ("trailer", "size")  # by the rest of the length
    assert report.foreign == 1
    assert await names(recorded) == before
    assert not (set(found) & {object_name_of(item) for item in await recorded.segments()})
    again = await reconciled(recorded, repair=True)
    assert again.ok
    assert again.quarantined_before == len(expected)


async def test_custodian_that_is_away_quarantines_nothing(recorded: Footage, tmp_path: Path) -> None:
    segments = await recorded.segments()
    await drop_rows(recorded, *segments[:3])
    nobody = CustodianClient(tmp_path / "no.sock")
    with pytest.raises(CustodianAwayError):
        await reconcile(recorded.stage.owner, recorded.stage.objects, nobody, repair=True, grace_ns=0)
    assert await quarantine(recorded) == {}
    assert (await reconciled(recorded, repair=True)).orphan_count == 3
    assert but_epochs(await recorded.segments()) == but_epochs(segments)


async def test_reconcile_beside_a_running_recorder_finds_nothing_and_disturbs_nobody(recorded: Footage) -> None:
    """Grace or no grace: an object whose recorder is about to commit it gets one row, whoever makes it."""
    stop = False
    rounds = 0

    async def again_and_again() -> None:
        nonlocal rounds
        while not stop:
            report = await reconciled(recorded, repair=True)
            assert not report.bad_rows
            assert await quarantine(recorded) == {}
            rounds += 1

    task = asyncio.create_task(again_and_again())
    try:
        code = await recorded.scene.run(segments=20, drain_s=20.0, pause_s=0.01)
    finally:
        stop = True
        await task
    assert code == 0
    assert rounds >= 3
    await recorded.scene.ended()
    figures = await recorded.scene.verdict("reconcile beside", 0)
    assert figures.rows > 30
    ends = [line for line in read_account(recorded.scene.directory / "account") if line["k"] == "end"]
    assert len(ends) == 3


# -- Rebuild


async def test_rebuild_after_dropping_every_row_gives_the_same_live_rows(recorded: Footage) -> None:
    segments = await recorded.segments()
    await drop_rows(recorded, *segments)
    assert await recorded.segments() == []
    report = await rebuilt(recorded)
    assert report.ok, report
    assert report.rows == len(segments)
    assert but_epochs(await recorded.segments()) == but_epochs(segments)
    await tiled(recorded)
    verified = await verify(
        recorded.serve, recorded.stage.objects, recorded.stage.client, camera_ids=None, span=recorded.span
    )
    assert verified.ok
    again = await rebuilt(recorded)
    assert (again.rows, again.known) == (0, len(segments))


async def test_rebuild_quarantines_what_is_not_genuine_and_takes_it_back_when_it_is(recorded: Footage) -> None:
    segments = await recorded.segments()
    await drop_rows(recorded, *segments)
    whole = [item for item in segments if not item.recovered and item.size_bytes > 20_000]
    genuine = await recorded.data(whole[0])
    await recorded.overwrite(whole[0], turn(8 * 9000))
    await recorded.overwrite(whole[1], lambda data: data[:-1])
    forged = await put_forged(recorded, whole[2], RecorderIdentity.create(bytes(32)))
    report = await rebuilt(recorded)
    assert report.quarantined_count == 3
    assert (await quarantine(recorded)).keys() == {object_name_of(whole[0]), object_name_of(whole[1]), forged}
    bad = {whole[0].segment_id, whole[1].segment_id}
    good = [item for item in segments if item.segment_id not in bad]
    assert but_epochs(await recorded.segments()) == but_epochs(good)
    await recorded.overwrite(whole[0], lambda data: bytearray(genuine))
    assert (await rebuilt(recorded)).rows == 1
    assert (await quarantine(recorded)).keys() == {object_name_of(whole[1]), forged}


async def test_rebuild_of_a_recorder_that_was_revoked_takes_what_is_older(recorded: Footage) -> None:
    segments = await recorded.segments()
    await drop_rows(recorded, *segments)
    revoked_ns = segments[6].span.end_ns
    await recorded.stage.owner.execute("UPDATE recorder SET revoked_ns = $1", revoked_ns)
    report = await rebuilt(recorded)
    older = [item for item in segments if item.span.end_ns <= revoked_ns]
    found = await recorded.segments()
    assert [brief(item) for item in found] == [brief(item) for item in older], report
    assert but_epochs(found) == but_epochs(older)


async def test_rebuild_of_overlapping_recordings_shows_the_earlier_one(recorded: Footage) -> None:
    segments = await recorded.segments()
    await recorded.stage.owner.execute("UPDATE segment SET state = 'shadow'")
    await drop_rows(recorded, *segments)
    report = await rebuilt(recorded)
    assert report.shadows == 0
    assert all(item.state is SegmentState.LIVE for item in await recorded.segments())


async def test_only_the_operator_may_open_by_header(recorded: Footage, tmp_path: Path) -> None:
    (segment, *_) = await recorded.segments()
    keys = await recorded.stage.client.open_headers([segment.header, bytes(segment.header)])
    assert keys.keys() == {segment.segment_id}
    forged = bytearray(segment.header)
    forged[40] ^= 1  # another segment id: the commitment does not hold
    assert await recorded.stage.client.open_headers([bytes(forged)]) == {}
    with pytest.raises(CustodianMisuseError):
        await recorded.stage.client.open_headers([b"no header"])
