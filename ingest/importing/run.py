"""An import from end to end: the file is examined, allowed, sealed, then uploaded and entered in the catalogue.

An import is all or nothing: nothing is uploaded before the last segment is sealed. From then on it is completed, by
the next import if this one is interrupted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from custodian.client import CustodianClient
from custodian.enrolment import load_or_enrol
from domain.errors import StorageError
from domain.ids import CameraId
from domain.time import Span, hour_of, to_iso
from ingest.importing.catalogue import ImportCatalogue
from ingest.importing.seal import FileSealer
from ingest.importing.workplace import Note, Workplace
from ingest.libav.file import FileFacts, FileRefusedError, scan
from ingest.recording import open_recorder, staged_recording
from ingest.settings import CameraSettings
from ingest.spool.summary import oldest_waiting
from runtime.database import open_pool
from runtime.problems import Problems
from runtime.settings import CustodianPlace, DatabaseSettings, SpoolSettings, StoreSettings
from storage.catalogue import Catalogue
from storage.keys import HourKeyCache, KeyFileError, RecorderIdentity
from storage.store import open_store

_ROOM_BYTES = 64 << 20  # on top of the file's size: headers, indexes, reserved blocks
_LOOK_S = 0.2
_STUCK_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSettings:
    """Settings of an import, with the operator's rights: its rows replace gaps."""

    database: DatabaseSettings  # the owner's role
    store: StoreSettings
    custodian_socket: CustodianPlace
    directory: Path  # see Workplace
    spools: tuple[Path, ...]  # of the recorders on this machine: their footage may have no row yet
    fsync: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The result of an import."""

    camera_name: str
    span: Span
    segments: int
    pictures: int
    shadows: int  # hidden by footage that a recorder committed meanwhile
    audio_left_out: bool = False
    hidden_ns: int = 0  # from where decoding begins to the first picture that players show


Tell = Callable[[str, float], None]
"""Receives the present step and its progress, 0 to 1."""


async def import_file(
    settings: ImportSettings, camera: CameraSettings, path: Path, start_ns: int, tell: Tell
) -> Imported:
    """FileRefusedError, CustodianMisuseError, ImportBusyError: nothing was changed. StorageError: see its remedy.

    An earlier import that was interrupted after sealing is completed first.
    """
    place = Workplace(settings.directory)
    with place.taken():
        if place.note() is not None:
            await _carry_through(settings, place, tell)
        facts = await _looked_at(path, tell)
        first_ns = start_ns - facts.hidden_ns
        if first_ns < 0:
            raise FileRefusedError("The footage would begin before 1970.", "Check --start.")
        span = Span(first_ns, first_ns + facts.duration_ns)
        if span.end_ns > time.time_ns():
            raise FileRefusedError(
                f"The footage would end at {to_iso(span.end_ns)}, in the future.",
                "Give the time at which its first picture was recorded.",
            )
        async with open_pool(settings.database, application_name="import", min_size=0, max_size=4) as pool:
            catalogue = ImportCatalogue(pool)
            await _check_on_the_way(settings, catalogue, camera.camera_id, span)
            client = CustodianClient(settings.custodian_socket)
            await client.make_past_keys(camera.camera_id, span)
            try:
                await _seal(settings, place, camera, path, facts, span, (client, catalogue), tell)
            finally:
                place.clear_staging()
        done = await _carry_through(settings, place, tell)
    return Imported(
        camera_name=camera.name,
        span=done.span,
        segments=done.segments,
        pictures=done.pictures,
        shadows=done.shadows,
        audio_left_out=facts.audio,
        hidden_ns=facts.hidden_ns,
    )


async def resume(settings: ImportSettings, tell: Tell) -> Imported | None:
    """Complete an interrupted import; None: there is none. StorageError."""
    place = Workplace(settings.directory)
    with place.taken():
        return await _carry_through(settings, place, tell) if place.note() is not None else None


async def _looked_at(path: Path, tell: Tell) -> FileFacts:
    found = None
    for found in scan(path):  # noqa: B007 - the last is the whole
        tell("looking through the file", 0.0)
        await asyncio.sleep(0)
    assert found is not None
    return found


async def _check_on_the_way(
    settings: ImportSettings, catalogue: ImportCatalogue, camera_id: CameraId, span: Span
) -> None:
    """Refuse while a recorder still has footage of this time to upload: the catalogue does not know it yet."""
    until_ns = max(span.end_ns, await catalogue.known_after(camera_id, span) or 0)
    for directory in settings.spools:
        oldest_ns = oldest_waiting(directory, camera_id)
        if oldest_ns is not None and oldest_ns < until_ns:
            raise FileRefusedError(
                f"The camera's recorder still has footage from {to_iso(oldest_ns)} on to upload.",
                "Wait until `tallenne status` shows that nothing is pending, or import an earlier time.",
            )


async def _seal(
    settings: ImportSettings,
    place: Workplace,
    camera: CameraSettings,
    path: Path,
    facts: FileFacts,
    span: Span,
    parts: tuple[CustodianClient, Catalogue],
    tell: Tell,
) -> None:
    client, catalogue = parts
    place.begin()
    identity = await load_or_enrol(place.staging / "identity", "import", client)
    keys = HourKeyCache(identity.pinned_signer)
    keys.offer(await catalogue.published_hour_keys([camera.camera_id], hour_of(span.start_ns)))
    spool = _spool(settings, place.staging, facts.size_bytes * 2 + _ROOM_BYTES)
    with staged_recording(spool, camera.site_id, camera.camera_id, keys, identity) as recording:
        sealer = FileSealer(recording, facts, span.start_ns, camera.segment_s, camera.segment_max_s)
        for pictures in sealer.run(path):
            tell("sealing", pictures / facts.pictures)
            await asyncio.sleep(0)  # here a cancellation is noticed
        segments = recording.segments
    place.complete(
        Note(
            camera_id=camera.camera_id,
            camera_name=camera.name,
            span=sealer.span,
            segments=segments,
            pictures=sealer.pictures,
        )
    )


async def _carry_through(settings: ImportSettings, place: Workplace, tell: Tell) -> Imported:
    """Upload, commit the rows and gaps, then remove the directory."""
    note = place.note()
    assert note is not None
    identity = RecorderIdentity.load(place.ready / "identity")
    if identity is None:
        raise KeyFileError(f"{place.ready} holds no identity.", "Remove the directory, and import again.")
    problems = Problems()
    spool = _spool(settings, place.ready, 1 << 62)
    async with (
        open_pool(settings.database, application_name="import", min_size=0, max_size=4) as pool,
        open_store(settings.store, connections=4) as store,
    ):
        await store.ensure_bucket()
        await store.probe()
        catalogue = ImportCatalogue(pool)
        keys = HourKeyCache(identity.pinned_signer)
        async with open_recorder(spool, store, catalogue, identity, keys, problems) as recorder:
            last_s, last = time.monotonic(), -1
            while (stats := recorder.stats()).pending or stats.gaps_waiting:
                if stats.uploaded != last:
                    last_s, last = time.monotonic(), stats.uploaded
                if time.monotonic() - last_s > _STUCK_S:
                    raise _stuck(problems)
                tell("uploading", min(1.0, stats.uploaded / max(1, note.segments)))
                await asyncio.sleep(_LOOK_S)
            if stats.damaged:
                raise StorageError(
                    f"{stats.damaged} sealed segments were damaged on this disk.",
                    "They are recorded as gaps; check the disk.",
                )
        await catalogue.account_beside(note.camera_id, note.span)
    place.done()
    return Imported(
        camera_name=note.camera_name,
        span=note.span,
        segments=note.segments,
        pictures=note.pictures,
        shadows=stats.shadows,
    )


def _stuck(problems: Problems) -> StorageError:
    what = " ".join(item["what"] for item in problems.present()) or "The object store refuses the footage."
    return StorageError(what, "Correct that, then run `tallenne import --resume`: the sealed footage is kept.")


def _spool(settings: ImportSettings, directory: Path, max_bytes: int) -> SpoolSettings:
    return SpoolSettings(directory=directory / "spool", max_bytes=max_bytes, fsync=settings.fsync)
