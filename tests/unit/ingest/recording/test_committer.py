"""Commits: a database that is away or refuses holds up neither recording nor other rows."""

from __future__ import annotations

import pytest

from domain.footage import GapCause
from domain.time import NS
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


async def test_detail_of_a_gap_loses_what_no_database_takes(rig: Rig) -> None:
    async with rig.recorder() as recorder:
        camera = rig.camera(recorder)
        camera.resume(rig.now_ns)
        rig.now_ns += NS
        camera.missing(rig.now_ns, GapCause.REFUSED, "no\x00 such\ud800 stream\u202e\n" + "x" * 1000)
        await until(lambda: bool(rig.catalogue.gap_rows))
    (gap,) = rig.catalogue.gaps(rig.cameras[0])
    assert gap.detail.startswith("no such streamx")
    assert len(gap.detail) <= 500
