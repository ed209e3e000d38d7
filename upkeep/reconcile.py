"""`tallenne reconcile`: live rows against the bucket, both ways, while recorders go on. Never deletes an object.

A live or shadow row stands for an object of that size and hash (invariant 2). What breaks that is found from either
side; ``repair`` makes it hold again: a row without its object is set to ``gone`` and a gap takes its place, an object
without a row gets one when it is signed and opens, and goes to the quarantine when not. A database that was restored
from an older copy also lacks keys and gaps: a repair takes them from the bucket's journal. Time that nothing accounts
for becomes a gap.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from domain.ids import CameraId, SegmentId, SiteId
from domain.time import MINUTE_NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.recorders import Recorders
from storage.catalogue.repairs import set_gone
from storage.journal import JournalKind
from storage.sealed import object_name
from storage.store import ObjectInfo, ObjectStore
from upkeep.hidden import Hidden, find_hidden, show_hidden
from upkeep.holes import LostTime, find_lost_time
from upkeep.inspection import BadObjectError, Flaw, inspect_object, read_recorders
from upkeep.inspection.journal import JournalReplay, JournalReport
from upkeep.inspection.kept_keys import UnkeptKeys, find_unkept, write_again
from upkeep.inspection.listing import Day, Footage, days
from upkeep.inspection.objects import object_sha256
from upkeep.inspection.restore import BATCH, HeaderOpener, Restored, RestoreOutcome, Restorer, begin_replay
from upkeep.inspection.rows import check_name
from upkeep.unrecorded import StoredTime, Unrecorded, unrecorded

_PACKAGE: Final = "upkeep"
_LISTED: Final = 10_000
_PAGE: Final = 1000
_AT_ONCE: Final = 8
GRACE_NS: Final = 15 * MINUTE_NS
"""An object that is younger may get its row any moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A live or shadow row that disagrees with its object."""

    segment_id: SegmentId
    camera_id: CameraId
    start_ns: int
    flaw: Flaw  # MISSING, SIZE or HASH
    repaired: bool


@dataclass(slots=True, kw_only=True)
class ReconcileReport:
    """Lists hold the first ten thousand; counts count all."""

    rows: int = 0
    objects: int = 0
    young: int = 0  # objects without a row that may get theirs any moment
    foreign: int = 0  # names that are not ours; left alone
    leftover: int = 0  # objects whose row is gone or expiring
    quarantined_before: int = 0
    bad_row_count: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    orphan_count: int = 0
    orphans: list[RestoreOutcome] = field(default_factory=list)  # objects without a row, and what became of each
    hidden: Hidden = field(default_factory=Hidden)
    journal: JournalReport = field(default_factory=JournalReport)
    unkept: UnkeptKeys = field(default_factory=UnkeptKeys)  # keys that the journal lacks; repaired, it gets them again
    lost: LostTime = field(default_factory=LostTime)  # time that nothing accounts for; repaired, it became gaps
    unrecorded: Unrecorded | None = None  # the database was without what happened then
    repaired: bool = False
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether rows and objects agree."""
        agree = not self.bad_row_count and not self.orphan_count and not self.hidden.forged and not self.hidden.rows
        return agree and not self.lost.holes and not self.journal.refused_count and not self.unkept.count


async def reconcile(
    pool: asyncpg.Pool,
    store: ObjectStore,
    custodian: HeaderOpener,
    *,
    repair: bool = False,
    grace_ns: int = GRACE_NS,
    clock_ns: Callable[[], int] = time.time_ns,
    progress: Callable[[ReconcileReport], None] = lambda _: None,
) -> ReconcileReport:
    """``pool``: of the owner's role. The custodian says who signs the journal, and opens for a repair."""
    started_s = time.monotonic()
    journal = await begin_replay(pool, store, custodian, clock_ns=clock_ns) if repair else None
    work = _Reconcile(pool, store, custodian, await read_recorders(pool), journal, repair, grace_ns, clock_ns)
    await work.run(progress)
    await work.keys((await custodian.identity()).signer)
    work.report.seconds = time.monotonic() - started_s
    return work.report


class _Reconcile:
    def __init__(
        self,
        pool: asyncpg.Pool,
        store: ObjectStore,
        custodian: HeaderOpener,
        recorders: Recorders,
        journal: JournalReplay | None,
        repair: bool,
        grace_ns: int,
        clock_ns: Callable[[], int],
    ) -> None:
        self._pool, self._store, self._recorders = pool, store, recorders
        self._repair, self._grace_ns, self._clock_ns = repair, grace_ns, clock_ns
        self._journal = journal
        self._restorer = Restorer(pool, store, custodian, recorders, journal=journal, clock_ns=clock_ns)
        self._stored = StoredTime()
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self.report = ReconcileReport(repaired=repair)

    async def run(self, progress: Callable[[ReconcileReport], None]) -> None:
        """Compare every day of the bucket with its rows, then the days that have rows only; ``progress`` after each."""
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "camera_days"))
        unseen = {(SiteId(row["site_id"]), CameraId(row["camera_id"]), row["day_ns"]): None for row in rows}
        async for day in days(self._store):
            self.report.foreign += len(day.foreign)
            if day.key is not None:
                unseen.pop(day.key, None)
                await self._day(day)
                progress(self.report)
        for _, camera_id, day_ns in unseen:
            await self._missing_rows(await self._live(camera_id, day_ns), set())
            progress(self.report)
        async for page in self._shadows():
            await self._missing_rows(page, set())
        # Last: a row whose object is missing was set to gone above, and hides nothing any more.
        self.report.hidden = await (show_hidden if self._repair else find_hidden)(self._pool)
        await self._account()

    async def keys(self, signer: bytes) -> None:
        """Whether the journal keeps the living keys; all of it is read and verified, unless a repair has done so."""
        kinds = () if self._repair else tuple(JournalKind)
        self.report.unkept = await find_unkept(self._pool, self._store, signer, kinds, self.report.journal)
        if self._repair:
            await write_again(self._pool, self.report.unkept)

    async def _account(self) -> None:
        if self._journal is not None:
            await self._journal.gaps()
            self.report.journal = self._journal.report
        self.report.lost = await find_lost_time(self._pool, self._clock_ns() - self._grace_ns, repair=self._repair)
        if self._stored.span is not None:
            self.report.unrecorded = await unrecorded(self._pool, self._stored.span)

    # -- From the bucket

    async def _day(self, day: Day) -> None:
        """Compare a day.

        Objects are listed before rows are read, so a row without an object is suspect, and examined.
        """
        self.report.objects += len(day.objects)
        known = await self._known(day.objects)
        orphans = []
        for item in day.objects:
            row = known.get(item.segment_id)
            if row is None:
                orphans.append(item)
            elif row["state"] in ("gone", "expiring"):
                self.report.leftover += 1
            else:
                await self._compare(item, row)
        await self._orphans(orphans)
        first = day.objects[0]
        await self._missing_rows(
            await self._live(first.camera_id, first.day_ns), {item.segment_id for item in day.objects}
        )

    async def _known(self, objects: list[Footage]) -> dict[SegmentId, asyncpg.Record]:
        with wrapped_errors():
            ids = [item.segment_id for item in objects]
            rows = await self._pool.fetch(sql.load(_PACKAGE, "rows_of_objects"), ids)
        return {SegmentId(row["segment_id"]): row for row in rows}

    async def _compare(self, item: Footage, row: asyncpg.Record) -> None:
        """Whether the object may have been overwritten after its row was committed: another size, or a later write."""
        flaw = None
        if (item.camera_id, item.start_ns) != (row["camera_id"], row["start_ns"]):
            flaw = Flaw.NAME
        elif item.info.size_bytes != row["size_bytes"]:
            flaw = Flaw.SIZE
        elif item.written_ns > row["committed_ns"] + self._grace_ns:
            digest = await object_sha256(self._store, item.info)
            flaw = None if digest in (row["sha256"], None) else Flaw.HASH
        if flaw is not None:
            await self._bad_row(row, flaw, item.info.name)

    async def _orphans(self, orphans: list[Footage]) -> None:
        now_ns = self._clock_ns()
        old = [item for item in orphans if now_ns - item.written_ns > self._grace_ns]
        self.report.young += len(orphans) - len(old)
        with wrapped_errors():
            names = [item.info.name for item in old]
            rows = await self._pool.fetch(sql.load(_PACKAGE, "quarantine_named"), names)
        before = {row["object_name"] for row in rows}
        self.report.quarantined_before += len(before)
        old_ones = [item for item in old if item.info.name not in before]
        infos = [item.info for item in old_ones]
        for at in range(0, len(infos), BATCH):
            batch = infos[at : at + BATCH]
            if self._repair:
                outcomes = await self._restorer.restore(batch)
                for item, outcome in zip(old_ones[at : at + BATCH], outcomes, strict=True):
                    self._stored.add(item.written_ns, outcome)
                self._note(outcomes)
            else:
                self._note([await self._looked_at(item) for item in batch])

    async def _looked_at(self, info: ObjectInfo) -> RestoreOutcome:
        """What a repair would probably do with it. Only the custodian can say whether it opens."""
        try:
            found = await inspect_object(self._store, info.name, info.size_bytes, self._recorders, None)
            check_name(found, info.name)
        except BadObjectError as error:
            if error.flaw is Flaw.MISSING:
                return RestoreOutcome(name=info.name, restored=Restored.VANISHED)
            return RestoreOutcome(name=info.name, restored=Restored.QUARANTINED, flaw=error.flaw, detail=error.detail)
        return RestoreOutcome(name=info.name, restored=Restored.ROW)

    def _note(self, outcomes: Iterable[RestoreOutcome]) -> None:
        for item in outcomes:
            if item.restored in (Restored.VANISHED, Restored.KNOWN, Restored.EXPIRED):
                continue  # its recorder was about to commit it, or it was deleted: not an orphan any more
            self.report.orphan_count += 1
            if len(self.report.orphans) < _LISTED:
                self.report.orphans.append(item)

    # -- From the catalogue

    async def _live(self, camera_id: CameraId, day_ns: int) -> list[asyncpg.Record]:
        with wrapped_errors():
            return list(await self._pool.fetch(sql.load(_PACKAGE, "live_of_day"), camera_id, day_ns))

    async def _shadows(self) -> AsyncIterator[list[asyncpg.Record]]:
        after_ns, after_id = 0, UUID(int=0)
        while True:
            with wrapped_errors():
                rows = await self._pool.fetch(sql.load(_PACKAGE, "shadows"), after_ns, after_id, _PAGE)
            if not rows:
                return
            after_ns, after_id = rows[-1]["start_ns"], rows[-1]["segment_id"]
            yield rows

    async def _missing_rows(self, rows: list[asyncpg.Record], seen: set[SegmentId]) -> None:
        """Rows whose object the listing does not show: it may have come since."""
        self.report.rows += len(rows)

        async def one(row: asyncpg.Record) -> None:
            """Ask the store itself about one row's object."""
            async with self._gate:
                name = object_name(
                    site_id=row["site_id"],
                    camera_id=row["camera_id"],
                    segment_id=row["segment_id"],
                    start_ns=row["start_ns"],
                )
                if await self._store.stat(name) is None:
                    await self._bad_row(row, Flaw.MISSING, None)

        async with asyncio.TaskGroup() as group:
            for row in rows:
                if row["segment_id"] not in seen:
                    group.create_task(one(row))

    async def _bad_row(self, row: asyncpg.Record, flaw: Flaw, name: str | None) -> None:
        repaired = False
        if self._repair:
            if name is not None:
                await self._restorer.quarantine(name, flaw, "not what its row says")
            span = Span(row["start_ns"], row["end_ns"])
            repaired = await set_gone(self._pool, row["segment_id"], row["camera_id"], span, f"object {flaw}")
            if not repaired:
                return  # it expired meanwhile: nothing is wrong
        self.report.bad_row_count += 1
        if len(self.report.bad_rows) < _LISTED:
            self.report.bad_rows.append(
                BadRow(
                    segment_id=SegmentId(row["segment_id"]),
                    camera_id=CameraId(row["camera_id"]),
                    start_ns=row["start_ns"],
                    flaw=flaw,
                    repaired=repaired,
                )
            )
