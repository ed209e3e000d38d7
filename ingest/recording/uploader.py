"""Uploads segments: from the spool to the object store, then to the catalogue, then out of the spool, in this order.

Two stages, so that the absence of one service does not stop the other's work: storing, several at a time, here, and
committing, one at a time, in committer.py. Fresh segments precede the backlog, and one worker takes only fresh ones.
What failed once, and what waited behind it, is backlog. What cannot be retried is parked and reported; its file stays.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable

from domain.errors import StorageError
from domain.footage import Gap, GapCause
from domain.ids import CameraId
from domain.time import Span
from ingest.recording.committer import Committer
from ingest.recording.footage_records import STORE, FootageRecords
from ingest.recording.pace import Pace
from ingest.recording.retry import Gate
from ingest.spool import DamagedSpoolFileError, Ending, Pending, SegmentMetadata, Spool, SpoolError
from runtime.failpoints import hit
from runtime.problems import Problems
from storage.catalogue import Catalogue
from storage.journal import JournalWriter
from storage.sealed import object_name
from storage.store import ObjectStore
from storage.store.errors import DigestError, ObjectConflictError

_log = logging.getLogger(__name__)

PARKED, DAMAGED, SPOOL = "parked segment", "damaged segment", "spool files"


class Uploader:
    """Takes finished segments by ``offer()`` and uploads them by ``run()`` until cancelled. For one event loop."""

    def __init__(
        self,
        spool: Spool,
        store: ObjectStore,
        catalogue: Catalogue,
        writer: JournalWriter,
        problems: Problems,
        *,
        concurrency: int,
        make_gate: Callable[[], Gate],
        make_pace: Callable[[], Pace],
        matches: Callable[[Pending, Ending], bool],
    ) -> None:
        """``matches``: reads a file (in a thread) and returns whether it still has its finished hash."""
        self._spool, self._store, self._problems = spool, store, problems
        self._concurrency = concurrency
        self._make_pace = make_pace
        self._matches = matches
        self._gate = make_gate()
        records = FootageRecords(writer, problems, gate=make_gate())
        self._committer = Committer(spool, catalogue, records, problems, gate=make_gate(), park=self._park)
        self._fresh: list[Pending] = []
        self._backlog: list[Pending] = []
        self._in_hand: set[Pending] = set()
        self._parked: set[Pending] = set()  # for an operator to examine: tried again at the next start
        self._wake = asyncio.Event()
        self.stored = 0
        self.damaged = 0

    def offer(self, pending: Pending, *, fresh: bool = True) -> None:
        """Queue a finished segment. Never blocks: the spool's size bounds the queue."""
        heapq.heappush(self._fresh if fresh else self._backlog, pending)
        self._wake.set()

    @property
    def pending(self) -> int:
        """Number of segments that are not committed yet."""
        queued = len(self._fresh) + len(self._backlog) + len(self._in_hand) + len(self._parked)
        return queued + self._committer.pending

    @property
    def committed(self) -> int:
        """Rows committed since the start."""
        return self._committer.committed

    @property
    def shadows(self) -> int:
        """Rows committed as shadows since the start."""
        return self._committer.shadows

    @property
    def contested(self) -> int:
        """Rows committed since the start whose time was accounted for already."""
        return self._committer.contested

    @property
    def oldest_ns(self) -> int | None:
        """Start of the oldest segment that is not committed yet."""
        heads = [queue[0] for queue in (self._fresh, self._backlog) if queue]
        starts = [item.place.start_ns for item in (*heads, *self._in_hand, *self._parked)]
        oldest = self._committer.oldest_ns
        return min(starts if oldest is None else (*starts, oldest), default=None)

    def take_oldest(self) -> Pending | None:
        """Take the oldest segment that no worker holds out of the queues, to drop it when the spool is full.

        None: all others are stored, and lack only their rows.
        """
        queue = min((queue for queue in (self._backlog, self._fresh) if queue), key=lambda q: q[0], default=None)
        return heapq.heappop(queue) if queue else None

    async def run(self) -> None:
        """Upload until cancelled. Cancelling leaves the spool as it is."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._concurrency):
                keep_free = number == 0 and self._concurrency > 1
                group.create_task(self._store_all(backlog=not keep_free), name=f"store-{number}")
            group.create_task(self._committer.run(), name="commit")

    def gaps_wait(self) -> None:
        """Wake the committer: the journal holds gaps."""
        self._committer.wake()

    def drop(self, pending: Pending, metadata: SegmentMetadata) -> None:
        """Drop a segment to make room, and record a gap in its place. SpoolError. Completed after a crash."""
        assert metadata.ending is not None
        if not metadata.dropped:
            try:
                self._spool.note_dropped(pending)
            except SpoolError as error:
                self._problems.note(SPOOL, error)  # no room even for the note: all the more reason to continue
        span = Span(metadata.beginning.start_ns, metadata.ending.end_ns)
        self._lost(metadata.beginning.camera_id, span, GapCause.SPOOL_FULL, "dropped to make room")
        hit("upload.drop.gap")
        self._spool.remove(pending)

    def set_aside(self, pending: Pending, error: StorageError, metadata: SegmentMetadata | None = None) -> None:
        """Record a gap for a damaged segment, and set its files aside for an operator. SpoolError."""
        footage = self._spool.span_of(pending)
        if metadata is not None and metadata.ending is not None:
            footage = metadata.beginning.camera_id, Span(metadata.beginning.start_ns, metadata.ending.end_ns)
        if footage is not None:
            self._lost(*footage, GapCause.QUARANTINED, "spool file damaged")
        hit("upload.damaged.gap")
        self._spool.set_aside(pending)
        self.damaged += 1
        self._problems.note(DAMAGED, error)

    # -- Storing

    async def _store_all(self, *, backlog: bool) -> None:
        pace = self._make_pace()
        while True:
            await self._gate.wait()
            pending, late = await self._next(pace if backlog else None)
            started_s = asyncio.get_running_loop().time()
            try:
                if not await self._store_one(pending):
                    self._all_late(pending)
                elif late:
                    pace.took(asyncio.get_running_loop().time() - started_s)
            except Exception as error:  # noqa: BLE001 - supervisor: one file that we mishandle must not stop the others
                _log.exception("a segment could not be uploaded")
                self._park(pending, error)
            except BaseException:
                self.offer(pending, fresh=False)
                raise
            finally:
                self._in_hand.discard(pending)

    async def _next(self, pace: Pace | None) -> tuple[Pending, bool]:
        """Return a fresh segment, or a late one when ``pace`` allows it."""
        while True:
            wait_s = None
            if self._fresh:
                return self._taken(self._fresh), False
            if pace is not None and self._backlog:
                wait_s = pace.wait_s()
                if wait_s <= 0:
                    return self._taken(self._backlog), True
            self._wake.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _taken(self, queue: list[Pending]) -> Pending:
        pending = heapq.heappop(queue)
        self._in_hand.add(pending)
        return pending

    def _all_late(self, pending: Pending) -> None:
        """The store is away: turn the waiting segments into backlog."""
        waiting, self._fresh = self._fresh, []
        for item in (pending, *waiting):
            self.offer(item, fresh=False)

    async def _store_one(self, pending: Pending) -> bool:
        """Store a segment. False: try again later."""
        try:
            metadata = self._spool.metadata_of(pending)
            if metadata.dropped:
                self.drop(pending, metadata)
                return True
        except DamagedSpoolFileError as error:
            return self._aside(pending, error)
        except SpoolError as error:
            return self._again(SPOOL, error)
        assert metadata.ending is not None
        try:
            if not metadata.stored:
                await self._put(pending, metadata, metadata.ending)
        except DigestError as error:
            return await self._damaged(pending, metadata, error)
        except ObjectConflictError as error:
            self._park(pending, error)
            return True
        except StorageError as error:
            return self._again(STORE, error)
        hit("upload.stored")
        self._gate.passed()
        self._problems.clear(STORE)
        self._committer.add(pending, metadata, metadata.ending)
        return True

    async def _put(self, pending: Pending, metadata: SegmentMetadata, ending: Ending) -> None:
        name = _name(metadata)
        hit("upload.put.before")
        await self._store.put_new(name, pending.place.ready, size_bytes=ending.size_bytes, sha256=ending.sha256)
        hit("upload.put.after")
        self.stored += 1
        try:
            self._spool.note_stored(pending)
            self._problems.clear(SPOOL)
        except SpoolError as error:
            self._problems.note(SPOOL, error)  # after a restart it is put again, and found in the store

    async def _damaged(self, pending: Pending, metadata: SegmentMetadata, error: DigestError) -> bool:
        """The store received other bytes than were sealed: find out whether the disk or the way damaged them."""
        assert metadata.ending is not None
        try:
            if await asyncio.to_thread(self._matches, pending, metadata.ending):
                return self._again(STORE, error)
        except FileNotFoundError:
            return await self._vanished(pending, metadata, metadata.ending, error)
        except OSError:
            return self._again(STORE, error)
        return self._aside(pending, error, metadata)

    async def _vanished(self, pending: Pending, metadata: SegmentMetadata, ending: Ending, error: DigestError) -> bool:
        """Handle metadata without footage: a power cut during a removal, or footage that was deleted."""
        try:
            info = await self._store.stat(_name(metadata))
        except StorageError as away:
            return self._again(STORE, away)
        if info is None or info.size_bytes != ending.size_bytes or info.sha256 not in (None, ending.sha256):
            return self._aside(pending, error, metadata)
        self._committer.add(pending, metadata, ending)
        return True

    def _aside(self, pending: Pending, error: StorageError, metadata: SegmentMetadata | None = None) -> bool:
        try:
            self.set_aside(pending, error, metadata)
        except SpoolError as failed:
            return self._again(SPOOL, failed)
        return True

    def _again(self, topic: str, error: StorageError) -> bool:
        self._gate.failed()
        self._problems.note(topic, error)
        return False

    def _lost(self, camera_id: CameraId, span: Span, cause: GapCause, detail: str) -> None:
        self._spool.gaps.append(Gap(camera_id=camera_id, span=span, cause=cause, detail=detail))
        self.gaps_wait()

    def _park(self, pending: Pending, error: Exception) -> None:
        self._parked.add(pending)
        self._problems.note(PARKED, error)


def _name(metadata: SegmentMetadata) -> str:
    beginning = metadata.beginning
    return object_name(
        site_id=beginning.site_id,
        camera_id=beginning.camera_id,
        segment_id=beginning.segment_id,
        start_ns=beginning.start_ns,
    )
