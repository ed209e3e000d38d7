"""Commits: a database that is away or refuses holds up neither recording nor other rows."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from domain.footage import Gap, GapCause
from domain.ids import SegmentId
from domain.time import NS
from ingest.recording.committer import Committer
from ingest.spool import Pending
from ingest.spool.layout import Place
from runtime.problems import Problems
from storage.journal import JournalKind, JournalRecord, list_journal, read_records
from storage.journal.rows import epoch_from_row, gap_from_row
from storage.store import ObjectStore
from tests.support.footage.recording import Rig, until


async def test_database_away_stops_neither_recording_nor_storing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.02)
    monkeypatch.setattr("ingest.recording.retry.LONGEST_S", 0.1)
    rig.catalogue.away = True
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(5):
            rig.segment(camera)
            rig.now_ns += NS
            camera.missing(rig.now_ns, GapCause.UNREACHABLE)
        await until(lambda: recorder.stats().stored == 5)
        assert recorder.stats().uploaded == 0
        assert recorder.stats().oldest_pending_ns is not None
        rig.catalogue.away = False
        await until(lambda: recorder.stats().pending == 0 and not recorder.stats().gaps_waiting)
        assert recorder.stats().problems == ()
        rig.stop(camera)
    assert len(rig.check()) == 5


async def test_row_that_the_database_refuses_holds_up_nobody(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.02)
    monkeypatch.setattr("ingest.recording.retry.LONGEST_S", 0.05)
    refused = rig.now_ns + 2 * NS
    rig.catalogue.refuse = lambda segment: segment.span.start_ns == refused
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(5):
            rig.segment(camera)
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.LOSS)
        await until(lambda: recorder.stats().uploaded == 4 and bool(rig.catalogue.gap_rows))
        assert any("refused" in problem["what"] for problem in recorder.stats().problems)
        rig.catalogue.refuse = lambda segment: False
        await until(lambda: recorder.stats().uploaded == 5)
        rig.stop(camera)
    assert len(rig.check()) == 5


async def test_gaps_that_the_database_refuses_hold_up_no_segment(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.02)
    rig.catalogue.refuse_gaps = True
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for _ in range(4):
            rig.segment(camera)
            rig.now_ns += NS
            camera.missing(rig.now_ns, GapCause.LOSS)
        await until(lambda: recorder.stats().uploaded == 4)


async def test_detail_of_a_gap_holds_nothing_that_no_database_takes(rig: Rig) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.REFUSED, "no\x00 such\ud800 stream\u202e\n" + "x" * 1000)
        await until(lambda: bool(rig.catalogue.gap_rows))
    (gap,) = rig.catalogue.gaps(rig.cameras[0])
    assert gap.detail.startswith("no\ufffd such\ufffd stream\ufffd x")
    assert len(gap.detail) <= 500


async def test_gap_stays_in_the_spool_until_the_bucket_has_it_too(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue has it at once; a rebuilt catalogue can have it from the bucket only."""
    monkeypatch.setattr("ingest.recording.retry.FIRST_S", 0.02)
    monkeypatch.setattr("ingest.recording.retry.LONGEST_S", 0.05)
    rig.store.away = True
    async with rig.recorder(drain_s=0) as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.UNREACHABLE)
        await until(lambda: len(rig.catalogue.gap_rows) == 1)
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.STALLED)
        await until(lambda: len(rig.catalogue.gap_rows) == 2)  # a record that waits holds up no later gap
        assert recorder.stats().gaps_waiting
        assert rig.store.journal == {}
    rig.store.away = False
    async with rig.recorder() as recorder:  # from the spool, after a restart
        await until(lambda: not recorder.stats().gaps_waiting)
    assert await recorded_gaps(rig) == set(rig.catalogue.gap_rows.values())


async def test_first_segment_of_each_epoch_is_written_down_once(rig: Rig) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        for number in range(4):
            if number == 2:
                camera.begin_epoch()
            rig.segment(camera)
        await until(lambda: recorder.stats().uploaded == 4)
    by_time = sorted(rig.catalogue.segments.values(), key=lambda item: item.span)
    rows = [row async for record in records(rig, JournalKind.EPOCH) for row in record.rows]
    starts = sorted(map(epoch_from_row, rows), key=lambda start: start.start_ns)
    firsts = [by_time[0], by_time[2]]
    assert [(start.segment_id, start.epoch, start.start_ns) for start in starts] == [
        (first.segment_id, first.epoch, first.span.start_ns) for first in firsts
    ]
    assert firsts[0].epoch < firsts[1].epoch
    assert {(start.camera_id, start.recorder_id) for start in starts} == {(camera.camera_id, rig.identity.recorder_id)}


async def records(rig: Rig, kind: JournalKind) -> AsyncIterator[JournalRecord]:
    store: ObjectStore = rig.store  # type: ignore[assignment]
    async for record in read_records(store, (await list_journal(store)).of(kind), {rig.identity.public_key}):
        assert isinstance(record, JournalRecord)
        yield record


async def recorded_gaps(rig: Rig) -> set[Gap]:
    return {gap_from_row(row) async for record in records(rig, JournalKind.GAP) for row in record.rows}


class Unread(deque[Any]):
    """A queue that fails the test when it is walked from end to end."""

    def __iter__(self) -> Any:
        raise AssertionError("every segment that waits was looked at")


def _committer(queue: deque[Any]) -> Committer:
    anything = cast("Any", None)
    committer = Committer(anything, anything, anything, Problems(), gate=anything, park=anything)
    committer._queue = queue
    return committer


def test_the_oldest_of_many_that_wait_is_known_without_looking_at_all() -> None:
    """The status asks each second; while the database is away, weeks may wait."""
    anything = cast("Any", None)
    queue = Unread()
    committer = _committer(queue)
    starts = [5, 3, 9, 1, 7]
    for start in starts:
        committer.add(Pending(Place(Path("segments"), start, SegmentId(uuid4())), 10), anything, anything)
    for number in range(len(starts)):
        assert committer.oldest_ns == min(starts[number:])
        committer._leave()
    assert committer.oldest_ns is None


async def test_committer_without_work_does_not_wake_up() -> None:
    class Gaps:
        looks = 0

        @property
        def empty(self) -> bool:
            self.looks += 1
            return True

    anything, gaps = cast("Any", None), Gaps()
    spool = cast("Any", SimpleNamespace(gaps=gaps))
    committer = Committer(spool, anything, anything, Problems(), gate=anything, park=anything)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.2):
            await committer.run()
    assert gaps.looks <= 2
