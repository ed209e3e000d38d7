"""A recorder: many cameras' recordings over one spool, one uploader, one catalogue."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable

from domain.ids import CameraId, SiteId
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
from runtime.problems import Problems
from runtime.settings import SpoolSettings
from runtime.supervise import supervised
from storage.catalogue import Catalogue
from storage.keys import HourKeyCache, RecorderIdentity
from storage.store import ObjectStore

_RECOVER_EVERY_S = 5.0
_ALARM_S = 60.0  # room that dropping made is no reason to be quiet at once


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
        *,
        epoch: int,
    ) -> None:
        self._settings, self._spool, self._uploader = settings, spool, uploader
        self._identity, self._keys, self.problems = identity, keys, problems
        self._epoch = epoch
        self._open: dict[CameraId, CameraRecording] = {}
        self._full_s = 0.0  # when the spool was found full
        self.publishing = Publishing(spool, problems, uploader.offer)

    def camera(self, site_id: SiteId, camera_id: CameraId) -> CameraRecording:
        """The camera's recording, resumed where its position says. SpoolError."""
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
        """Now."""
        return RecorderStats(
            spool_bytes=self._spool.used_bytes,
            spool_max_bytes=self._spool.max_bytes,
            pending=self._uploader.pending,
            oldest_pending_ns=self._uploader.oldest_ns,
            stored=self._uploader.stored,
            uploaded=self._uploader.committed,
            shadows=self._uploader.shadows,
            gaps_waiting=not self._spool.gaps.empty,
            problems=self.problems.present(),
            gaps_dropped=self._spool.gaps.dropped,
            damaged=self._uploader.damaged,
        )

    # -- What the cameras' recordings ask (Publisher)

    def gaps_wait(self) -> None:
        """Wake the committer."""
        self._uploader.gaps_wait()

    def make_room(self, wanted_bytes: int) -> None:
        """SpoolFullError when there is none, after the policy for a full spool has been followed."""
        try:
            self._spool.check_room(wanted_bytes)
        except SpoolFullError as error:
            self.problems.note("spool", error)
            self._full_s = time.monotonic()
            while self._settings.when_full == "drop_oldest" and self._drop_oldest():
                with contextlib.suppress(SpoolFullError):
                    self._spool.check_room(wanted_bytes)
                    return
            raise
        if time.monotonic() - self._full_s > _ALARM_S:
            self.problems.clear("spool")

    def publish(self, done: Done, camera_id: CameraId) -> None:
        """A finished segment becomes the uploader's. SpoolError."""
        self.publishing.publish(done, camera_id)

    def settle(self, camera_id: CameraId) -> None:
        """All of the camera's finished segments are published."""
        self.publishing.settle(camera_id)

    def recover_open(self, segment: OpenSegment, camera_id: CameraId) -> int:
        """After the disk refused: until when what is left of the segment is footage."""
        self.publishing.settle(camera_id)
        self._spool.abandon(segment.file)
        try:
            result = self._spool.recover(segment.file.place, self._identity)
            pending = self._spool.adopt(result)
        except (SpoolError, OSError):
            return segment.durable_end_ns  # it cannot even be read now
        if pending is not None:
            self._uploader.offer(pending)
        return result.span.end_ns if result.span is not None else segment.start_ns

    def _drop_oldest(self) -> bool:
        """False when there is nothing to drop, or it cannot be removed."""
        oldest = self._uploader.take_oldest()
        if oldest is None:
            return False
        try:
            self._uploader.drop(oldest, self._spool.metadata_of(oldest))
        except DamagedSpoolFileError:
            self._uploader.offer(oldest, fresh=False)  # it is set aside when its turn comes
            return False
        except SpoolError as error:
            self._uploader.offer(oldest, fresh=False)
            self.problems.note("spool", error)
            return False
        return True

    # -- In the background

    async def recover(self) -> None:
        """Recover files that the disk refused to recover before. SpoolError: it cannot be read."""
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

    drain_s: how long leaving waits for the upload of what is finished; the rest stays in the spool for the next start.
    """
    spool = Spool(settings)
    try:
        for place in _torn(spool):
            # When the disk is full the rest of this waits: uploading makes room.
            await asyncio.to_thread(spool.recover, place, identity, at_start=True)
        uploader = Uploader(
            spool,
            store,
            catalogue,
            problems,
            concurrency=upload_concurrency,
            make_gate=lambda: Gate(clock_s),
            make_pace=lambda: Pace(clock_s),
            matches=_matches,
        )
        for pending in _waiting(spool):
            uploader.offer(pending, fresh=False)
        recorder = Recorder(settings, spool, uploader, identity, keys, problems, epoch=epoch)
        async with supervised(problems) as tasks:
            # A mistake of ours in one of these must not end the recording beside it.
            tasks.forever("uploader", uploader.run, restart=True)
            tasks.every(_RECOVER_EVERY_S, "recovery", recorder.recover, expected=(SpoolError,), restart=True)
            if settings.fsync:
                sync = recorder.publishing.sync
                tasks.every(SYNC_EVERY_S, SYNCING, sync, expected=(SpoolError,), restart=True, longest_s=SYNC_EVERY_S)
            try:
                yield recorder
                await recorder.publishing.finished()
                with contextlib.suppress(SpoolError):  # the disk may have been mended since the last attempt
                    await recorder.recover()
                await _drained(uploader, spool, drain_s)
            finally:
                await recorder.publishing.finished()
    finally:
        spool.close()


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
