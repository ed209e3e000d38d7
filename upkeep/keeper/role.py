"""The keeper as a process: removes what the custodian made unreadable. Whatever is away, it stays and catches up."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from domain.time import NS
from runtime.database import open_pool
from runtime.problems import Problems
from runtime.status import StatusFile
from runtime.supervise import EXPECTED, supervised
from storage.store import open_store
from storage.store.errors import StoreRefusedError
from upkeep.keeper.journal import JournalOver
from upkeep.keeper.periods import PeriodsOver
from upkeep.keeper.removal import Removal
from upkeep.keeper.settings import KeeperSettings

REMOVE_EVERY_S: Final = 10.0
PERIODS_EVERY_S: Final = 600.0
_STATEMENT_S: Final = 120.0


async def run(settings: KeeperSettings, stop: asyncio.Event) -> None:
    """Until ``stop``. Ready at once, since no role waits for it."""
    async with (
        open_pool(
            settings.database, application_name="keeper", min_size=0, max_size=2, statement_timeout_s=_STATEMENT_S
        ) as pool,
        open_store(settings.store) as store,
    ):
        removal = Removal(pool, store, clock_ns=time.time_ns)
        periods = PeriodsOver(pool, settings.periods, clock_ns=time.time_ns)
        journal = JournalOver(pool, store, clock_ns=time.time_ns)
        file, problems = StatusFile(settings.run_directory, "keeper"), Problems()

        async def write() -> None:
            """Write the status file."""
            present = problems.present()
            file.write(
                "degraded" if present else "ready",
                problems=present,
                deleted={**periods.deleted, "journal": journal.removed},
                **_report(removal),
            )

        async with supervised(problems) as tasks:
            tasks.every(file.period_s, "status", write)
            # Others record on while the store refuses this user: it is said, and tried again.
            expected = (*EXPECTED, StoreRefusedError)
            tasks.every(REMOVE_EVERY_S, "removal", removal.run_once, drain=True, expected=expected)
            tasks.every(PERIODS_EVERY_S, "periods", periods.run_once, drain=True)
            tasks.every(PERIODS_EVERY_S, "journal", journal.run_once, expected=expected)
            await stop.wait()
        file.remove()


def _report(removal: Removal) -> dict[str, Any]:
    backlog = removal.backlog
    since_ns = backlog.since_ns
    return {
        "removed_segments": removal.removed_segments,
        "dropped_days": removal.dropped_days,
        "backlog_camera_hours": backlog.camera_hours,
        "backlog_segments": backlog.segments,
        "overdue_s": 0 if since_ns is None else max(0, time.time_ns() - since_ns) // NS,
    }
