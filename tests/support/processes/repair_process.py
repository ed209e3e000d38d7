"""reconcile or rebuild as a process, to be killed: ``python -m tests.support.processes.repair_process <task>``."""

from __future__ import annotations

import asyncio
import pickle
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from custodian.client import CustodianClient
from domain.time import HOUR_NS
from runtime.database import open_pool
from runtime.settings import DatabaseSettings, StoreSettings
from storage.store import open_store
from upkeep.rebuild import rebuild
from upkeep.reconcile import reconcile


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    what: str  # "rebuild" or "reconcile"
    database: DatabaseSettings
    store: StoreSettings
    socket: Path


def later() -> int:
    """The cameras' clock of a scene runs ahead of this one, and what is to come is no hole."""
    return time.time_ns() + HOUR_NS


async def main(task: Repair) -> None:
    async with open_pool(task.database, application_name="repair") as pool, open_store(task.store) as store:
        custodian = CustodianClient(task.socket)
        if task.what == "rebuild":
            await rebuild(pool, store, custodian, grace_ns=0, clock_ns=later)
        else:
            await reconcile(pool, store, custodian, repair=True, grace_ns=0, clock_ns=later)


def start(file: str) -> None:
    """Repair as the task in ``file`` says."""
    asyncio.run(main(pickle.loads(Path(file).read_bytes())))  # noqa: S301 our own test wrote it


if __name__ == "__main__":
    start(sys.argv[1])
