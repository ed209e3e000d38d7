"""From the spool to the object store, then to the catalogue, then out of the spool. In that order, whatever happens.

Two stages, so that either service may be away without the other's work stopping: storing (several at a time) and
committing (one at a time; a commit takes milliseconds). Fresh segments go before the backlog, and one place is kept
for them. What cannot be retried is parked and said; its file stays.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Callable

from domain.footage import Gap, GapCause
from domain.time import Span
from storage.catalogue import Catalogue, Commit
from storage.errors import SegmentConflictError, StorageError
from storage.failpoints import hit
from storage.recording.pace import Pace
from storage.recording.retry import Gate
from storage.recording.rows import segment_of
from storage.recording.stats import Problems
from storage.sealed import object_name
from storage.spool import DamagedSpoolFileError, Ending, Facts, Pending, Spool, SpoolError
from storage.store import ObjectStore
from storage.store.errors import DigestError, ObjectConflictError

_log = logging.getLogger(__name__)

_IDLE_S = 0.5
STORE, DATABASE, PARKED, DAMAGED = "store", "database", "parked segment", "damaged segment"


class Uploader:
    """Give it finished segments with ``offer()``; ``run()`` does the rest until it is cancelled. One event loop."""

    def __init__(
        self,
        spool: Spool,
        store: ObjectStore,
        catalogue: Catalogue,
        problems: Problems,
        *,
        concurrency: int,
        make_gate: Callable[[], Gate],
        pace: Pace,
        matches: Callable[[Pending, Ending], bool],
    ) -> None:
        """``matches``: reads a file (blocking) and tells whether it still has the hash it was finished with."""
        self._spool, self._store, self._catalogue, self._problems = spool, store, catalogue, problems
        self._concurrency = concurrency
        self._pace = pace
        self._matches = matches
        self._store_gate, self._database_gate = make_gate(), make_gate()
        self._fresh: list[Pending] = []
        self._backlog: list[Pending] = []
        self._to_commit: deque[tuple[Pending, Facts, Ending]] = deque()
        self._in_hand: set[Pending] = set()
        self._parked: set[Pending] = set()  # for a person to look at: tried again at the next start
        self._wake = asyncio.Event()
        self._wake_committer = asyncio.Event()
        self.stored = 0
        self.committed = 0
        self.shadows = 0

    def offer(self, pending: Pending, *, fresh: bool = True) -> None:
        """Take over a finished segment. Never blocks: the queue is bounded by the spool's size."""
        heapq.heappush(self._fresh if fresh else self._backlog, pending)
        self._wake.set()

    @property
    def pending(self) -> int:
        """Segments that are not committed yet."""
        return len(self._fresh) + len(self._backlog) + len(self._to_commit) + len(self._in_hand) + len(self._parked)

    @property
    def oldest_ns(self) -> int | None:
        """Start of the oldest of them."""
        heads = [queue[0] for queue in (self._fresh, self._backlog) if queue]
        heads += [self._to_commit[0][0]] if self._to_commit else []
        return min((item.place.start_ns for item in (*heads, *self._in_hand, *self._parked)), default=None)

    def take_oldest(self) -> Pending | None:
        """Take the oldest segment nobody works on out of the queues: for dropping it when the spool is full."""
        queue = min((queue for queue in (self._backlog, self._fresh) if queue), key=lambda q: q[0], default=None)
        return heapq.heappop(queue) if queue else None

    async def run(self) -> None:
        """Until cancelled. Cancelling leaves everything in the spool as it is."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._concurrency):
                keep_free = number == 0 and self._concurrency > 1
                group.create_task(self._store_all(backlog=not keep_free), name=f"store-{number}")
            group.create_task(self._commit_all(), name="commit")

    def gaps_wait(self) -> None:
        """There are gaps in the journal."""
        self._wake_committer.set()

    # -- Storing

    async def _store_all(self, *, backlog: bool) -> None:
        while True:
            pending, late = await self._next(backlog=backlog)
            await self._store_gate.wait()
            try:
                if not await self._store_one(pending, late=late):
                    self.offer(pending, fresh=not late)
            finally:
                self._in_hand.discard(pending)

    async def _next(self, *, backlog: bool) -> tuple[Pending, bool]:
        while True:
            wait_s = None
            if self._fresh:
                pending = heapq.heappop(self._fresh)
                self._in_hand.add(pending)
                return pending, False
            if backlog and self._backlog:
                wait_s = self._pace.wait_s()
                if wait_s <= 0:
                    pending = heapq.heappop(self._backlog)
                    self._in_hand.add(pending)
                    return pending, True
            self._wake.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _store_one(self, pending: Pending, *, late: bool) -> bool:
        """False: it is to be tried again."""
        try:
            facts = self._spool.facts_of(pending)
            assert facts.ending is not None
            if not facts.stored:
                await self._put(pending, facts, facts.ending, late=late)
                self._spool.note_stored(pending)
        except DamagedSpoolFileError as error:
            self._say(DAMAGED, error)
            return True
        except DigestError as error:
            return self._damaged(pending, facts, error)
        except ObjectConflictError as error:
            self._say(PARKED, error)
            self._parked.add(pending)
            return True
        except StorageError as error:
            self._store_gate.failed()
            self._say(STORE, error)
            return False
        hit("upload.stored")
        self._store_gate.passed()
        self._problems.take_back(STORE)
        self._to_commit.append((pending, facts, facts.ending))
        self._wake_committer.set()
        return True

    async def _put(self, pending: Pending, facts: Facts, ending: Ending, *, late: bool) -> None:
        beginning = facts.beginning
        name = object_name(
            site_id=beginning.site_id,
            camera_id=beginning.camera_id,
            segment_id=beginning.segment_id,
            start_ns=beginning.start_ns,
        )
        hit("upload.put.before")
        started_s = asyncio.get_running_loop().time()
        await self._store.put_new(name, pending.place.ready, size_bytes=ending.size_bytes, sha256=ending.sha256)
        hit("upload.put.after")
        if late:
            self._pace.took(asyncio.get_running_loop().time() - started_s)
        self.stored += 1

    def _damaged(self, pending: Pending, facts: Facts, error: DigestError) -> bool:
        """The store got other bytes than were sealed. Were they damaged on the way, or do they lie damaged on disk?"""
        assert facts.ending is not None
        if self._matches(pending, facts.ending):
            self._store_gate.failed()
            self._say(STORE, error)
            return False
        span = Span(facts.beginning.start_ns, facts.ending.end_ns)
        self._spool.gaps.append(
            Gap(camera_id=facts.beginning.camera_id, span=span, cause=GapCause.QUARANTINED, detail="spool file damaged")
        )
        self._spool.set_aside(pending)
        self._say(DAMAGED, error)
        return True

    # -- Committing

    async def _commit_all(self) -> None:
        while True:
            if not self._to_commit and self._spool.gaps.empty:
                self._wake_committer.clear()
                try:
                    async with asyncio.timeout(_IDLE_S):
                        await self._wake_committer.wait()
                except TimeoutError:
                    self._spool.gaps.flush()
                continue
            await self._database_gate.wait()
            try:
                await self._commit_gaps()
                await self._commit_segments()
            except StorageError as error:
                self._database_gate.failed()
                self._say(DATABASE, error)
            else:
                self._database_gate.passed()
                self._problems.take_back(DATABASE)

    async def _commit_gaps(self) -> None:
        while not self._spool.gaps.empty:
            gaps, mark = self._spool.gaps.batch()
            if not gaps:
                return
            await self._catalogue.commit_gaps(gaps)
            hit("commit.gaps")
            self._spool.gaps.committed(mark)

    async def _commit_segments(self) -> None:
        while self._to_commit:
            pending, facts, ending = self._to_commit[0]
            try:
                outcome = await self._catalogue.commit_segment(segment_of(facts, ending))
            except SegmentConflictError as error:
                self._to_commit.popleft()
                self._parked.add(pending)
                self._say(PARKED, error)
                continue
            hit("commit.segment")
            self._to_commit.popleft()
            self.committed += 1
            self.shadows += outcome is Commit.SHADOW
            try:
                self._spool.remove(pending)
            except SpoolError as error:
                # The row is there: what is left of the files is uploaded again at the next start, as a duplicate.
                self._say("spool", error)

    def _say(self, topic: str, error: StorageError) -> None:
        if self._problems.say(topic, error):
            _log.warning("%s: %s", topic, error)
