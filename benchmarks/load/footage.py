"""Footage in the real store, recorded faster than it happened: film to fragments, segments, recorder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.frame.stand import SITE_ID, Stand
from benchmarks.load.film import FPS
from custodian.client import CustodianClient
from custodian.enrolment import load_or_enrol
from demo.video.encoder import AccessUnit as Coded
from demo.video.encoder import parameter_sets
from domain.ids import CameraId
from domain.time import NS, Span, hour_of
from ingest.access_unit import TICKS_PER_S, AccessUnit, VideoParameters
from ingest.media.fragments import Fragment, FragmentWriter
from ingest.media.segmenter import Action, Append, Begin, Finish, Missing, Segmenter
from ingest.recording import CameraRecording, KeyKeeper, open_recorder
from runtime.database import open_pool
from runtime.private_files import private_directory
from runtime.problems import Problems
from runtime.settings import SpoolSettings
from storage.catalogue import Catalogue
from storage.keys import HourKeyCache
from storage.store import open_store

_DRAIN_S = 120.0


async def record_footage(stand: Stand, units: Sequence[Coded], seconds: int) -> Span:
    """The last ``seconds`` of every camera, committed and in the store when this returns."""
    assert stand.store is not None
    await _until_in_one_hour(seconds)
    start_ns = time.time_ns() - seconds * NS
    place = stand.directory / "recorder"
    private_directory(place)
    identity = await load_or_enrol(place / "identity", "bench", CustodianClient(stand.shipped.custodian_socket))
    keys, problems = HourKeyCache(identity.pinned_signer), Problems()
    async with (
        open_pool(stand.database("ingest"), application_name="bench") as pool,
        open_store(stand.store.settings, connections=4) as store,
    ):
        await store.ensure_bucket()
        catalogue = Catalogue(pool)
        await KeyKeeper(keys, catalogue, problems, lambda: list(stand.cameras)).refresh()
        spool = SpoolSettings(directory=place / "spool", max_bytes=20 << 30)
        async with open_recorder(spool, store, catalogue, identity, keys, problems, drain_s=_DRAIN_S) as recorder:
            for camera in stand.cameras:
                recording = recorder.camera(SITE_ID, CameraId(camera))
                recording.resume(start_ns)
                _record(recording, units, start_ns, seconds)
                await asyncio.sleep(0)
    return Span(start_ns, start_ns + seconds * NS)


async def _until_in_one_hour(seconds: int) -> None:
    """Hour keys are made from the present hour on."""
    now_ns = time.time_ns()
    into_s = (now_ns - hour_of(now_ns)) / NS
    if into_s < seconds:
        await asyncio.sleep(seconds - into_s)


def _record(recording: CameraRecording, units: Sequence[Coded], start_ns: int, seconds: int) -> None:
    sets = parameter_sets(units[0].nals)
    assert sets is not None
    parameters = VideoParameters(codec="h264", sps=sets[0], pps=(sets[1],))
    writer, segmenter = FragmentWriter(), Segmenter(10.0, 30.0)
    for index in range(seconds * FPS):
        unit = units[index % len(units)]
        data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in unit.nals if nal[0] & 31 not in (7, 8))
        ticks = index * TICKS_PER_S // FPS
        made = AccessUnit(data=data, pts_ticks=ticks, key=unit.key, mono_ns=0, parameters=parameters)
        _apply(recording, segmenter, writer.push(made), start_ns)
    for fragment in iter(writer.flush, None):
        _apply(recording, segmenter, fragment, start_ns)
    _do(recording, segmenter.close())


def _apply(recording: CameraRecording, segmenter: Segmenter, fragment: Fragment | None, start_ns: int) -> None:
    if fragment is None:
        return
    at, until = (start_ns + ticks * NS // TICKS_PER_S for ticks in (fragment.start_ticks, fragment.end_ticks))
    _do(recording, segmenter.push(replace(fragment), at, until))


def _do(recording: CameraRecording, actions: Sequence[Action]) -> None:
    for action in actions:
        match action:
            case Begin(start_ns, codec, init):
                recording.begin(start_ns, codec, init)
            case Append(pieces, start_ns, end_ns, key, frames):
                recording.append(pieces, start_ns, end_ns, key=key, frames=frames)
            case Finish(end_ns):
                recording.finish(end_ns)
            case Missing(until_ns, cause, detail):
                recording.missing(until_ns, cause, detail)
