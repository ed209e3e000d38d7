"""The second stage of uploading: rows of stored segments and of gaps, one at a time; then the files go."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from domain.errors import RetryableError, StorageError
from ingest.recording.retry import Gate
from ingest.recording.rows import segment_of
from ingest.spool import Ending, Pending, SegmentMetadata, Spool, SpoolError, disk_error
from runtime.failpoints import hit
from runtime.problems import Problems
from storage.catalogue import Catalogue, Commit
from storage.catalogue.errors import SegmentConflictError

DATABASE, SPOOL, GAPS = "database", "spool files", "gaps"
_IDLE_S = 0.5


class Committer:
    """``run()`` until cancelled. A row that the catalogue refuses goes to the back and blocks no other."""

    def __init__(
        self,
        spool: Spool,
        catalogue: Catalogue,
        problems: Problems,
        *,
        gate: Gate,
        park: Callable[[Pending, Exception], None],
    ) -> None:
        self._spool, self._catalogue, self._problems = spool, catalogue, problems
        self._gate = gate
        self._park = park
        self._queue: deque[tuple[Pending, SegmentMetadata, Ending]] = deque()
        self._wake = asyncio.Event()
        self.committed = 0
        self.shadows = 0

    @property
    def pending(self) -> int:
        """Segments that wait for their row."""
        return len(self._queue)

    @property
    def oldest_ns(self) -> int | None:
        """Start of the oldest segment that waits, UTC nanoseconds; None when none does."""
        return min((item[0].place.start_ns for item in self._queue), default=None)

    def add(self, pending: Pending, metadata: SegmentMetadata, ending: Ending) -> None:
        """A stored segment. Bounded by the spool's size."""
        self._queue.append((pending, metadata, ending))
        self._wake.set()

    def wake(self) -> None:
        """There are gaps in the journal."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if not self._queue and self._spool.gaps.empty:
                self._wake.clear()
                try:
                    async with asyncio.timeout(_IDLE_S):
                        await self._wake.wait()
                except TimeoutError:
                    continue
            await self._gate.wait()
            # Neither waits for the other: a row that the catalogue refuses is no reason to keep back what it takes.
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
            journal.committed(batch)
        if journal.dropped:
            self._problems.note(
                GAPS, StorageError(f"{journal.dropped} gaps could not be written down.", "Check the spool's disk.")
            )

    async def _commit_segments(self) -> None:
        refused: StorageError | None = None
        for _ in range(len(self._queue)):
            pending, metadata, ending = self._queue[0]
            try:
                outcome = await self._catalogue.commit_segment(segment_of(metadata, ending))
            except SegmentConflictError as error:
                self._queue.popleft()
                self._park(pending, error)
                continue
            except StorageError as error:
                if isinstance(error, RetryableError):
                    raise
                self._queue.rotate(-1)
                refused = error
                continue
            hit("commit.segment")
            self._queue.popleft()
            self.committed += 1
            self.shadows += outcome is Commit.SHADOW
            self._remove(pending)
        if refused is not None:
            raise refused

    def _remove(self, pending: Pending) -> None:
        try:
            self._spool.remove(pending)
        except SpoolError as error:
            # The row is there: what is left of the files is uploaded again at the next start, as a duplicate.
            self._problems.note(SPOOL, error)
        else:
            self._problems.clear(SPOOL)
