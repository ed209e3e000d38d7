"""A step of expiry, hold, erasure or removal as a process, to be killed, at the time that the task says.

``python -m tests.support.faults.forgetting_process <task>``.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from custodian.asking import Asker
from custodian.holds.holds import NewHold
from custodian.journal import JournalKeeper
from runtime.database import open_pool
from runtime.settings import DatabaseSettings, StoreSettings
from storage.journal import JournalWriter
from storage.store import open_store
from tests.support.footage.past import Past, past
from upkeep.keeper.journal import JournalOver
from upkeep.keeper.periods import PeriodsOver
from upkeep.keeper.removal import Removal
from upkeep.keeper.settings import Periods

_PERIODS = Periods(events_d=10, exports_d=20, lookups_d=30, sessions_d=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    what: str  # "erase", "expire", "approve", "hold", "end", "journal", "keep", "periods" or "prune"
    owner: DatabaseSettings
    custodian: DatabaseSettings
    keeper: DatabaseSettings
    store: StoreSettings
    directory: Path
    now_ns: int
    asker: Asker | None = None
    order: UUID | None = None  # to approve
    hold: NewHold | None = None
    case: UUID | None = None  # to end


async def main(step: Step) -> None:
    if step.what in ("keep", "prune"):
        async with (
            open_pool(step.keeper, application_name="keeper", max_size=2) as pool,
            open_store(step.store) as objects,
        ):
            made = JournalOver if step.what == "prune" else Removal
            await made(pool, objects, clock_ns=lambda: step.now_ns).run_once()
        return
    if step.what == "periods":
        async with open_pool(step.keeper, application_name="keeper", max_size=2) as pool:
            await PeriodsOver(pool, _PERIODS, clock_ns=lambda: step.now_ns).run_once()
        return
    async with past(step.owner, step.custodian, step.directory, back_h=60) as gym:
        gym.clock.now_ns = step.now_ns
        if step.what == "journal":
            async with open_store(step.store) as objects:
                writer = JournalWriter(objects, gym.custody.signer, gym.custody.signing.sign)
                await JournalKeeper(gym.pool, writer).run_once(asyncio.Event())
            return
        await _custodian(gym, step)


async def _custodian(gym: Past, step: Step) -> None:
    """What the running custodian does in this order, and what it is asked for first."""
    if step.asker is not None and step.order is not None:
        await gym.orders.approve(step.order, step.asker)
    if step.asker is not None and step.hold is not None:
        await gym.holds.place(step.hold, step.asker)
    if step.asker is not None and step.case is not None:
        await gym.holds.end_case(step.case, step.asker)
    await gym.holds.run_once()
    await gym.change.run_once()
    await gym.erasures.run_once()
    await gym.expiry.run_once()


def start(file: str) -> None:
    """Do the step of the task in ``file``."""
    asyncio.run(main(pickle.loads(Path(file).read_bytes())))  # noqa: S301 our own test wrote it


if __name__ == "__main__":
    start(sys.argv[1])
