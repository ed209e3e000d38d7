"""A recorder: many cameras' recordings over one spool, one uploader, one catalogue."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from domain.ids import CameraId, SiteId
from ingest.recording.camera import CameraRecording
from ingest.recording.pace import Pace
from ingest.recording.publishing import Publishing
from ingest.recording.retry import Gate
from ingest.recording.segment import Done, OpenSegment
from ingest.recording.stats import Problems, RecorderStats
from ingest.recording.uploader import Uploader
from ingest.spool import DamagedSpoolFileError, Ending, Outcome, Pending, Spool, SpoolError, SpoolFullError, disk_error
from ingest.spool.layout import Place
from runtime.settings import SpoolSettings
from storage.catalogue import Catalogue
from storage.keys import HourKeyCache, RecorderIdentity
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_MEND_EVERY_S = 5.0
_RESTART_S = 5.0
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
        """The camera's recording, resumed where its mark says. SpoolError."""
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
            problems=self.problems.all(),
            gaps_dropped=self._spool.gaps.dropped,
            damaged=self._uploader.damaged,
        )

    # -- What the cameras' recordings ask (Publisher)

    def gaps_wait(self) -> None:
        """Tell the committer."""
        self._uploader.gaps_wait()

    def make_room(self, wanted_bytes: int) -> None:
        """SpoolFullError when there is none, after the policy for a full spool has been followed."""
        try:
            self._spool.check_room(wanted_bytes)
        except SpoolFullError as error:
            self.problems.say("spool", error)
            self._full_s = time.monotonic()
            while self._settings.when_full == "drop_oldest" and self._drop_oldest():
                with contextlib.suppress(SpoolFullError):
                    self._spool.check_room(wanted_bytes)
                    return
            raise
        if time.monotonic() - self._full_s > _ALARM_S:
            self.problems.take_back("spool")

    def publish(self, done: Done, camera_id: CameraId) -> None:
        """A finished segment becomes the uploader's. SpoolError."""
        self.publishing.publish(done, camera_id)

    def settle(self, camera_id: CameraId) -> None:
        """All of the camera's finished segments are published."""
        self.publishing.settle(camera_id)

    def salvage(self, segment: OpenSegment, camera_id: CameraId) -> int:
        """After the disk refused: until when what is left of the segment is footage."""
        self.publishing.settle(camera_id)
        self._spool.forsake(segment.file)
        try:
            mended = self._spool.mend(segment.file.place, self._identity)
            pending = self._spool.adopt(mended)
        except (SpoolError, OSError):
            return segment.durable_end_ns  # it cannot even be read now
        if pending is not None:
            self._uploader.offer(pending)
        return mended.span.end_ns if mended.span is not None else segment.start_ns

    def _drop_oldest(self) -> bool:
        """False when there is nothing to drop, or it cannot be removed."""
        oldest = self._uploader.take_oldest()
        if oldest is None:
            return False
        try:
            self._uploader.drop(oldest, self._spool.facts_of(oldest))
        except DamagedSpoolFileError:
            self._uploader.offer(oldest, fresh=False)  # it is set aside when its turn comes
            return False
        except SpoolError as error:
            self._uploader.offer(oldest, fresh=False)
            self.problems.say("spool", error)
            return False
        return True

    # -- In the background

    async def mend_later(self) -> None:
        """Deal with files that could not be dealt with when the disk refused."""
        while True:
            await asyncio.sleep(_MEND_EVERY_S)
            try:
                self.publishing.settle_all()
                for place in self._spool.torn():
                    mended = self._spool.mend(place, self._identity)
                    if mended.outcome is Outcome.POSTPONED:
                        continue
                    pending = self._spool.adopt(mended)
                    if pending is not None:
                        self._uploader.offer(pending, fresh=False)
                    if mended.camera_id in self._open:
                        self._open[mended.camera_id].mended()
                    await asyncio.sleep(0)
            except OSError as exc:
                self.problems.say("mending", disk_error(exc))
            except SpoolError as error:
                self.problems.say("mending", error)
            else:
                self.problems.take_back("mending")


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
    """Mends what a crash left, then uploads in the background until left. SpoolBusyError, SpoolError.

    drain_s: how long leaving waits for the upload of what is finished; the rest stays in the spool for the next start.
    """
    spool = Spool(settings)
    try:
        for place in _torn(spool):
            # When the disk is full the rest of this waits: uploading makes room.
            await asyncio.to_thread(spool.mend, place, identity, at_start=True)
        dice = random.Random()
        uploader = Uploader(
            spool,
            store,
            catalogue,
            problems,
            concurrency=upload_concurrency,
            make_gate=lambda: Gate(clock_s, dice),
            make_pace=lambda: Pace(clock_s),
            matches=_matches,
        )
        for pending in _waiting(spool):
            uploader.offer(pending, fresh=False)
        recorder = Recorder(settings, spool, uploader, identity, keys, problems, epoch=epoch)
        work = {"uploader": uploader.run, "mending": recorder.mend_later}
        if settings.fsync:
            work["syncing"] = recorder.publishing.sync_often
        tasks = [asyncio.create_task(_kept_going(name, run, problems), name=name) for name, run in work.items()]
        try:
            yield recorder
            await recorder.publishing.finished()
            await _drained(uploader, spool, drain_s)
        finally:
            await recorder.publishing.finished()
            await _ended(tasks)
    finally:
        spool.close()


async def _kept_going(name: str, run: Callable[[], Awaitable[None]], problems: Problems) -> None:
    """Supervisor: a mistake of ours in the background is said and does not end it. Recording would go on unnoticed."""
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - supervisor
            _log.exception("%s ended and is started again", name)
            problems.say(name, error)
        await asyncio.sleep(_RESTART_S)
        problems.take_back(name)


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


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            _log.error("a recorder's task ended by %r", outcome)


def _matches(pending: Pending, ending: Ending) -> bool:
    with pending.place.ready.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return digest == ending.sha256
