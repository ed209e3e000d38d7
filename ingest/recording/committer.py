"""The second stage of uploading: commits rows of stored segments and gaps, one at a time, then deletes the files."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace

from domain.errors import RetryableError, StorageError
from domain.footage import LEASE_SHIFT, Segment
from ingest.recording.footage_records import FootageRecords
from ingest.recording.retry import Gate
from ingest.recording.rows import segment_of
from ingest.spool import Ending, Pending, SegmentMetadata, Spool, SpoolError, disk_error
from runtime.failpoints import hit
from runtime.problems import Problems
from storage.catalogue import Catalogue, Commit
from storage.catalogue.errors import LeaseNotHeldError, SegmentConflictError

DATABASE, SPOOL, GAPS = "database", "spool files", "gaps"
_AGAIN_S = 0.5  # while gaps wait for the bucket
_IDLE_S = 10.0  # what comes wakes the committer; this is for a gap that did not


class Committer:
    """Call ``run()`` until cancelled.

    A row that the catalogue refuses goes to the end of the queue and blocks no other.
    """

    def __init__(
        self,
        spool: Spool,
        catalogue: Catalogue,
        records: FootageRecords,
        problems: Problems,
        *,
        gate: Gate,
        park: Callable[[Pending, Exception], None],
    ) -> None:
        self._spool, self._catalogue, self._records, self._problems = spool, catalogue, records, problems
        self._gate = gate
        self._park = park
        self._queue: deque[tuple[Pending, SegmentMetadata, Ending]] = deque()
        self._waiting: set[Pending] = set()  # those of the queue, and
        self._by_start: list[Pending] = []  # a heap of them, in which some have left the queue
        self._wake = asyncio.Event()
        self.committed = 0
        self.shadows = 0
        self.contested = 0

    @property
    def pending(self) -> int:
        """Number of segments that wait for their row."""
        return len(self._queue)

    @property
    def oldest_ns(self) -> int | None:
        """Start of the oldest waiting segment, UTC nanoseconds; None: none waits."""
        return self._by_start[0].place.start_ns if self._by_start else None

    def add(self, pending: Pending, metadata: SegmentMetadata, ending: Ending) -> None:
        """Queue a stored segment. The spool's size bounds the queue."""
        self._queue.append((pending, metadata, ending))
        self._waiting.add(pending)
        heapq.heappush(self._by_start, pending)
        self._wake.set()

    def wake(self) -> None:
        """Wake ``run()``: the journal holds gaps."""
        self._wake.set()

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            if not self._queue and (self._spool.gaps.empty or self._records.waiting):
                self._wake.clear()
                try:
                    async with asyncio.timeout(_IDLE_S if self._spool.gaps.empty else _AGAIN_S):
                        await self._wake.wait()
                except TimeoutError:
                    continue
            await self._gate.wait()
            # Segments and gaps do not wait for each other: a row that the catalogue refuses must not delay those that
            # it accepts.
            error = await self._error_of(self._commit_segments)
            if not isinstance(error, RetryableError):
                error = await self._error_of(self._commit_gaps) or error
            if error is None:
                self._gate.passed()
                self._problems.clear(DATABASE)
            else:
                self._gate.failed()
                self._problems.note(DATABASE, error)

    async def _error_of(self, commit: Callable[[], Awaitable[None]]) -> StorageError | None:
        try:
            await commit()
        except StorageError as error:
            return error
        return None

    async def _commit_gaps(self) -> None:
        journal = self._spool.gaps
        while not journal.empty:
            try:
                batch = journal.batch()
            except OSError as exc:
                raise disk_error(exc) from exc
            await self._catalogue.commit_gaps(batch.gaps)
            hit("commit.gaps")
            if not await self._records.gaps(batch.gaps):
                return  # the catalogue has them; the spool keeps them until the bucket has them, too
            journal.committed(batch)
        if journal.dropped:
            self._problems.note(
                GAPS,
                StorageError(f"{journal.dropped} gaps could not be written to the journal.", "Check the spool's disk."),
            )

    async def _commit_segments(self) -> None:
        refused: StorageError | None = None
        for _ in range(len(self._queue)):
            pending, metadata, ending = self._queue[0]
            segment = segment_of(metadata, ending)
            await self._records.epoch(segment)
            try:
                outcome = await self._commit(segment)
            except SegmentConflictError as error:
                self._leave()
                self._park(pending, error)
                continue
            except StorageError as error:
                if isinstance(error, RetryableError):
                    raise
                self._queue.rotate(-1)
                refused = error
                continue
            hit("commit.segment")
            self._leave()
            self.committed += 1
            self.shadows += outcome is Commit.SHADOW
            self.contested += outcome is Commit.CONTESTED
            self._remove(pending)
        if refused is not None:
            raise refused

    def _leave(self) -> None:
        self._waiting.discard(self._queue.popleft()[0])
        while self._by_start and self._by_start[0] not in self._waiting:
            heapq.heappop(self._by_start)

    async def _commit(self, segment: Segment) -> Commit:
        try:
            return await self._catalogue.commit_segment(segment)
        except LeaseNotHeldError:
            # The database has forgotten the lease. Without one the footage displaces nothing, and is not lost.
            return await self._catalogue.commit_segment(replace(segment, epoch=segment.epoch % (1 << LEASE_SHIFT)))

    def _remove(self, pending: Pending) -> None:
        try:
            self._spool.remove(pending)
        except SpoolError as error:
            # The row exists: what is left of the files is uploaded again at the next start, as a duplicate.
            self._problems.note(SPOOL, error)
        else:
            self._problems.clear(SPOOL)
