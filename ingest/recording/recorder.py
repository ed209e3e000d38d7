"""A recorder: many cameras' recordings over one spool, one uploader, one catalogue."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence

from domain.errors import RetryableError
from domain.ids import CameraId, SiteId
from domain.time import Span
from ingest.recording.camera import CameraRecording
from ingest.recording.pace import Pace
from ingest.recording.publishing import SYNC_EVERY_S, SYNCING, Publishing
from ingest.recording.retry import Gate
from ingest.recording.segment import Done, OpenSegment
from ingest.recording.stats import RecorderStats
from ingest.recording.uploader import Uploader
from ingest.spool import (
    DamagedSpoolFileError,
    Ending,
    Pending,
    RecoveryOutcome,
    Spool,
    SpoolError,
    SpoolFullError,
    disk_error,
)
from ingest.spool.layout import Place
from ingest.spool.lost_time import LostTime, recent_footage
from runtime.problems import Problems
from runtime.settings import SpoolSettings
from runtime.supervise import Supervisor, supervised
from storage.catalogue import Catalogue
from storage.journal import JournalWriter
from storage.keys import HourKeyCache, RecorderIdentity
from storage.store import ObjectStore

_RECOVER_EVERY_S = 5.0
_LEASES_EVERY_S = 1.0
_LOST_TIME_EVERY_S = 1.0
_EASE_SHARE, _EASE_SEGMENTS = 0.01, 4
"""The spool counts as full until so much of it is free, or room for so many segments: dropping alone makes less."""


class Recorder:
    """Opened by ``open_recorder()``. Hand out one recording per camera with ``camera()``."""

    def __init__(
        self,
        settings: SpoolSettings,
        spool: Spool,
        uploader: Uploader,
        identity: RecorderIdentity,
        keys: HourKeyCache,
        problems: Problems,
        lost_time: LostTime,
        catalogue: Catalogue,
        *,
        epoch: int,
    ) -> None:
        self._settings, self._spool, self._uploader = settings, spool, uploader
        self._catalogue = catalogue
        self._identity, self._keys, self.problems = identity, keys, problems
        self._epoch = epoch
        self._open: dict[CameraId, CameraRecording] = {}
        self._full: SpoolFullError | None = None
        self._wanted_bytes = 0  # when it was found full
        problems.watch("spool room", self._still_full)
        self.publishing = Publishing(spool, problems, uploader.offer)
        self.lost_time = lost_time

    def camera(self, site_id: SiteId, camera_id: CameraId) -> CameraRecording:
        """Return the camera's recording, resumed at its position. SpoolError."""
        recording = self._open.get(camera_id)
        if recording is None:
            recording = self._open[camera_id] = CameraRecording(
                site_id,
                camera_id,
                self._spool,
                self._keys,
                self._identity,
                self,
                epoch=self._epoch,
                mono_ns=time.monotonic_ns,
            )
        return recording

    def stats(self) -> RecorderStats:
        """Return the present counters."""
        return RecorderStats(
            spool_bytes=self._spool.used_bytes,
            spool_max_bytes=self._spool.max_bytes,
            pending=self._uploader.pending,
            oldest_pending_ns=self._uploader.oldest_ns,
            stored=self._uploader.stored,
            uploaded=self._uploader.committed,
            shadows=self._uploader.shadows,
            contested=self._uploader.contested,
            gaps_waiting=not self._spool.gaps.empty,
            problems=self.problems.present(),
            gaps_dropped=self._spool.gaps.dropped,
            damaged=self._uploader.damaged,
        )

    # -- Called by the cameras' recordings (Publisher)

    def gaps_wait(self) -> None:
        """Wake the committer."""
        self._uploader.gaps_wait()

    def resumed(self, camera_id: CameraId, until_ns: int, gaps: Sequence[Span], *, known: bool) -> None:
        """Look whether time before ``until_ns`` was lost."""
        self.lost_time.resumed(camera_id, until_ns, gaps, known=known)

    def make_room(self, wanted_bytes: int) -> None:
        """Make room by the policy for a full spool. SpoolFullError: there still is none."""
        try:
            self._spool.check_room(wanted_bytes)
        except SpoolFullError as error:
            self._full, self._wanted_bytes = error, wanted_bytes
            while self._settings.when_full == "drop_oldest" and self._drop_oldest():
                with contextlib.suppress(SpoolFullError):
                    self._spool.check_room(wanted_bytes)
                    return
            raise

    def publish(self, done: Done, camera_id: CameraId) -> None:
        """Hand a finished segment to the uploader. SpoolError."""
        self.publishing.publish(done, camera_id)

    def settle(self, camera_id: CameraId) -> None:
        """Publish all of the camera's finished segments. SpoolError."""
        self.publishing.settle(camera_id)

    def recover_open(self, segment: OpenSegment, camera_id: CameraId) -> int:
        """Return the end of the footage that remains of a segment after the disk refused."""
        self.publishing.settle(camera_id)
        self._spool.abandon(segment.file)
        try:
            result = self._spool.recover(segment.file.place, self._identity)
            pending = self._spool.adopt(result)
        except (SpoolError, OSError):
            return segment.durable_end_ns  # the disk cannot even be read at present
        if pending is not None:
            self._uploader.offer(pending)
        return result.span.end_ns if result.span is not None else segment.start_ns

    def _still_full(self) -> SpoolFullError | None:
        """Judge by the present room: once all cameras have stopped, no further request would show it."""
        ease = max(_EASE_SHARE * self._spool.max_bytes, _EASE_SEGMENTS * self._wanted_bytes)
        if self._full is not None and self._spool.room_bytes() >= min(ease, self._spool.max_bytes / 2):
            self._full = None
        return self._full

    def _drop_oldest(self) -> bool:
        """Drop the oldest segment. False: there is none, or it cannot be removed."""
        oldest = self._uploader.take_oldest()
        if oldest is None:
            return False
        try:
            self._uploader.drop(oldest, self._spool.metadata_of(oldest))
        except DamagedSpoolFileError:
            self._uploader.offer(oldest, fresh=False)  # set aside when it is uploaded
            return False
        except SpoolError as error:
            self._uploader.offer(oldest, fresh=False)
            self.problems.note("spool", error)
            return False
        return True

    # -- In the background

    async def take_leases(self) -> None:
        """Ask the database for the leases of cameras that have none since the start. DatabaseError.

        That the database is away, the committer says.
        """
        waiting = [camera_id for camera_id, recording in self._open.items() if not recording.leased]
        leases: dict[CameraId, int] = {}
        with contextlib.suppress(RetryableError):
            leases = await self._catalogue.take_leases(waiting, self._identity.recorder_id) if waiting else leases
        for camera_id, lease in leases.items():
            self._open[camera_id].adopt_lease(lease)

    async def recover(self) -> None:
        """Recover the files for which the disk refused it before. SpoolError: the disk cannot be read."""
        try:
            self.publishing.settle_all()
            for place in self._spool.torn():
                self._recover_file(place)
                await asyncio.sleep(0)
        except OSError as exc:
            raise disk_error(exc) from exc

    def _recover_file(self, place: Place) -> None:
        result = self._spool.recover(place, self._identity)
        if result.outcome is RecoveryOutcome.POSTPONED:
            return
        pending = self._spool.adopt(result)
        if pending is not None:
            self._uploader.offer(pending, fresh=False)
        if result.camera_id in self._open:
            self._open[result.camera_id].reload_position()


@contextlib.asynccontextmanager
async def open_recorder(
    settings: SpoolSettings,
    store: ObjectStore,
    catalogue: Catalogue,
    identity: RecorderIdentity,
    keys: HourKeyCache,
    problems: Problems,
    *,
    epoch: int = 1,
    upload_concurrency: int = 4,
    drain_s: float = 0.0,
    clock_s: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Recorder]:
    """Recover what a crash left, then record and upload in the background until the block ends.

    SpoolBusyError: another recorder holds the spool. SpoolError: the disk refuses.

    drain_s: how long the exit waits for uploads of finished segments; the rest stays in the spool for the next start.
    """
    spool = Spool(settings)
    try:
        waiting = await _recovered(spool, identity)
        recent = await asyncio.to_thread(recent_footage, spool, waiting)
        uploader = Uploader(
            spool,
            store,
            catalogue,
            JournalWriter(store, identity.public_key, identity.sign),
            problems,
            concurrency=upload_concurrency,
            make_gate=lambda: Gate(clock_s),
            make_pace=lambda: Pace(clock_s),
            matches=_matches,
        )
        for pending in waiting:
            uploader.offer(pending, fresh=False)
        lost_time = LostTime(spool, catalogue, recent, uploader.gaps_wait)
        recorder = Recorder(settings, spool, uploader, identity, keys, problems, lost_time, catalogue, epoch=epoch)
        async with supervised(problems) as tasks:
            _start(tasks, recorder, uploader, fsync=settings.fsync)
            try:
                yield recorder
                await recorder.publishing.finished()
                with contextlib.suppress(SpoolError):  # the disk may have recovered since the last attempt
                    await recorder.recover()
                await _drained(uploader, spool, drain_s)
            finally:
                await recorder.publishing.finished()
    finally:
        spool.close()


def _start(tasks: Supervisor, recorder: Recorder, uploader: Uploader, *, fsync: bool) -> None:
    """Start the work in the background. A programming error in one of these must not end the recording beside it."""
    tasks.forever("uploader", uploader.run, restart=True)
    tasks.every(_RECOVER_EVERY_S, "recovery", recorder.recover, expected=(SpoolError,), restart=True)
    tasks.every(_LEASES_EVERY_S, "leases", recorder.take_leases, restart=True)
    tasks.every(_LOST_TIME_EVERY_S, "lost time", recorder.lost_time.look, restart=True)
    if fsync:
        sync = recorder.publishing.sync
        tasks.every(SYNC_EVERY_S, SYNCING, sync, expected=(SpoolError,), restart=True, longest_s=SYNC_EVERY_S)


async def _recovered(spool: Spool, identity: RecorderIdentity) -> list[Pending]:
    """Recover torn files; return all finished segments, oldest first. SpoolError."""
    for place in _torn(spool):
        # A full disk postpones the rest of the recovery: uploading makes room.
        await asyncio.to_thread(spool.recover, place, identity, at_start=True)
    return _waiting(spool)


def _torn(spool: Spool) -> list[Place]:
    try:
        return spool.torn()
    except OSError as exc:
        raise disk_error(exc) from exc


def _waiting(spool: Spool) -> list[Pending]:
    try:
        return spool.waiting()
    except OSError as exc:
        raise disk_error(exc) from exc


async def _drained(uploader: Uploader, spool: Spool, drain_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(drain_s):
            while uploader.pending or not spool.gaps.empty:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


def _matches(pending: Pending, ending: Ending) -> bool:
    with pending.place.ready.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return digest == ending.sha256
