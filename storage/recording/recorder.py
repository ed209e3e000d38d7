"""A recorder: many cameras' recordings over one spool, one uploader, one catalogue."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import random
import time
from collections.abc import AsyncIterator, Callable

from domain.footage import Gap, GapCause
from domain.ids import CameraId, SiteId
from domain.time import Span
from storage.catalogue import Catalogue
from storage.keys import HourKeyCache, RecorderIdentity
from storage.recording.camera import CameraRecording
from storage.recording.pace import Pace
from storage.recording.retry import Gate
from storage.recording.segment import Done, OpenSegment
from storage.recording.stats import Problems, RecorderStats
from storage.recording.uploader import Uploader
from storage.settings import SpoolSettings
from storage.spool import Ending, Pending, Spool, SpoolError, SpoolFullError, disk_error
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_SYNC_EVERY_S = 0.5
_MEND_EVERY_S = 5.0


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
        self._syncing: set[asyncio.Task[None]] = set()

    def camera(self, site_id: SiteId, camera_id: CameraId) -> CameraRecording:
        """The camera's recording, resumed where its mark says."""
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
            while self._settings.when_full == "drop_oldest" and (oldest := self._uploader.take_oldest()):
                self._drop(oldest)
                with contextlib.suppress(SpoolFullError):
                    self._spool.check_room(wanted_bytes)
                    return
            raise
        self.problems.take_back("spool")

    def publish(self, done: Done, camera_id: CameraId) -> None:
        """A finished segment becomes the uploader's."""
        if not self._settings.fsync:
            self._uploader.offer(self._spool.publish(done.file, camera_id, done.mark))
            return
        descriptors = done.file.duplicate()
        task = asyncio.create_task(self._publish_synced(done, camera_id, descriptors), name="publish")
        self._syncing.add(task)
        task.add_done_callback(self._syncing.discard)

    async def _publish_synced(self, done: Done, camera_id: CameraId, descriptors: tuple[int, int]) -> None:
        try:
            await asyncio.to_thread(_sync_and_close, descriptors)
            self._uploader.offer(self._spool.publish(done.file, camera_id, done.mark))
        except OSError as exc:
            self.problems.say("spool", disk_error(exc))
            self._spool.forsake(done.file)

    def salvage(self, segment: OpenSegment) -> int:
        """After the disk refused: until when what is left of the segment is footage."""
        self._spool.forsake(segment.file)
        try:
            mended = self._spool.mend(segment.file.place, self._identity)
            pending = self._spool.adopt(mended, segment.file.size_bytes)
        except (SpoolError, OSError):
            return segment.durable_end_ns  # mend_later() tries again
        if pending is not None:
            self._uploader.offer(pending)
        return mended.end_ns if mended.end_ns is not None else segment.start_ns

    def _drop(self, pending: Pending) -> None:
        try:
            facts = self._spool.facts_of(pending)
            assert facts.ending is not None
            span = Span(facts.beginning.start_ns, facts.ending.end_ns)
            camera_id = facts.beginning.camera_id
            self._spool.gaps.append(
                Gap(camera_id=camera_id, span=span, cause=GapCause.SPOOL_FULL, detail="dropped to make room")
            )
            self._spool.remove(pending)
        except SpoolError as error:
            self.problems.say("spool", error)

    # -- In the background

    async def mend_later(self) -> None:
        """Deal with files that could not be dealt with when the disk refused."""
        while True:
            await asyncio.sleep(_MEND_EVERY_S)
            try:
                for place in self._spool.torn():
                    size = place.part.stat().st_size + (place.facts.stat().st_size if place.facts.exists() else 0)
                    mended = await asyncio.to_thread(self._spool.mend, place, self._identity)
                    pending = self._spool.adopt(mended, size)
                    if pending is not None:
                        self._uploader.offer(pending, fresh=False)
            except (SpoolError, OSError) as error:
                self.problems.say("spool", error)

    async def settled(self) -> None:
        """All finished segments are published."""
        if self._syncing:
            await asyncio.wait(self._syncing)


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
        for place in spool.torn():
            await asyncio.to_thread(spool.mend, place, identity)
        dice = random.Random()
        uploader = Uploader(
            spool,
            store,
            catalogue,
            problems,
            concurrency=upload_concurrency,
            make_gate=lambda: Gate(clock_s, dice),
            pace=Pace(clock_s),
            matches=_matches,
        )
        for pending in spool.waiting():
            uploader.offer(pending, fresh=False)
        recorder = Recorder(settings, spool, uploader, identity, keys, problems, epoch=epoch)
        tasks = [
            asyncio.create_task(uploader.run(), name="uploader"),
            asyncio.create_task(recorder.mend_later(), name="mend"),
        ]
        try:
            yield recorder
            await recorder.settled()
            await _drained(uploader, spool, drain_s)
        finally:
            await _ended(tasks)
    finally:
        spool.close()


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


def _sync_and_close(descriptors: tuple[int, int]) -> None:
    try:
        for descriptor in descriptors:
            os.fdatasync(descriptor)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _matches(pending: Pending, ending: Ending) -> bool:
    with pending.place.ready.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return digest == ending.sha256
