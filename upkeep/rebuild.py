"""`tallenne catalogue rebuild`: recorders, keys, segments and gaps from bucket and keyring, when the database is lost.

The journal says what no object does. Every object without a row is read, authenticated, opened and given one; what is
truncated, forged or unsigned is listed in the quarantine; time that nothing accounts for becomes a gap. Again after a
crash, or for good measure: what is there is passed over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from runtime import sql
from runtime.database import wrapped_errors
from storage.store import ObjectStore
from upkeep.holes import LostTime, find_lost_time
from upkeep.inspection import read_recorders
from upkeep.inspection.journal import JournalReport
from upkeep.inspection.listing import Footage, days
from upkeep.inspection.restore import BATCH, HeaderOpener, Restored, RestoreOutcome, Restorer, begin_replay
from upkeep.reconcile import GRACE_NS

_PACKAGE: Final = "upkeep"
_LISTED: Final = 10_000


@dataclass(slots=True, kw_only=True)
class RebuildReport:
    """What a rebuild found and did. ``quarantined`` lists the first ten thousand; the counts are complete."""

    objects: int = 0
    known: int = 0  # have a row
    young: int = 0  # their recorders may still commit them
    foreign: int = 0  # names that no recorder gives
    rows: int = 0  # restored, live
    shadows: int = 0  # restored, hidden behind live footage
    expired: int = 0  # objects whose key is dead; left alone
    journal: JournalReport = field(default_factory=JournalReport)
    lost: LostTime = field(default_factory=LostTime)  # became gaps
    quarantined_count: int = 0
    quarantined: list[RestoreOutcome] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every object became a row, and every record was genuine."""
        return not self.quarantined_count and not self.journal.refused_count


async def rebuild(
    pool: asyncpg.Pool,
    store: ObjectStore,
    custodian: HeaderOpener,
    *,
    grace_ns: int = GRACE_NS,
    clock_ns: Callable[[], int] = time.time_ns,
    progress: Callable[[RebuildReport], None] = lambda _: None,
) -> RebuildReport:
    """``pool``: of the owner's role. Raises when database, store or custodian do not answer; begin again then."""
    report = RebuildReport()
    started_s = time.monotonic()
    journal = await begin_replay(pool, store, custodian, clock_ns=clock_ns)
    report.journal = journal.report
    restorer = Restorer(pool, store, custodian, await read_recorders(pool), journal=journal, clock_ns=clock_ns)
    async for day in days(store):
        report.foreign += len(day.foreign)
        report.objects += len(day.objects)
        wanted = await _without_row(pool, day.objects)
        report.known += len(day.objects) - len(wanted)
        old = [item for item in wanted if clock_ns() - item.written_ns > grace_ns]
        report.young += len(wanted) - len(old)
        for at in range(0, len(old), BATCH):
            outcomes = await restorer.restore([item.info for item in old[at : at + BATCH]])
            for outcome in outcomes:
                _note(report, outcome)
            progress(report)
    await journal.gaps()
    report.lost = await find_lost_time(pool, clock_ns() - grace_ns, repair=True)
    report.seconds = time.monotonic() - started_s
    return report


async def _without_row(pool: asyncpg.Pool, objects: list[Footage]) -> list[Footage]:
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "rows_of_objects"), [item.segment_id for item in objects])
    known = {row["segment_id"] for row in rows}
    return [item for item in objects if item.segment_id not in known]


def _note(report: RebuildReport, outcome: RestoreOutcome) -> None:
    report.rows += outcome.restored is Restored.ROW
    report.shadows += outcome.restored is Restored.SHADOW
    report.known += outcome.restored is Restored.KNOWN
    report.expired += outcome.restored is Restored.EXPIRED
    if outcome.restored is Restored.QUARANTINED:
        report.quarantined_count += 1
        if len(report.quarantined) < _LISTED:
            report.quarantined.append(outcome)
