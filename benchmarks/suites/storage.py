"""Storage: sealing and opening, PUT and GET, recovery, the catalogue's questions."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.frame.accounting import Accounts, between
from benchmarks.frame.cores import pinned
from benchmarks.frame.result import document
from benchmarks.frame.stand import Stand, open_stand
from benchmarks.frame.trust import doubts
from benchmarks.suites import objects, queries, sealing, spool

_CAMERAS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    rows: tuple[int, ...] = (1_000_000,)
    files: int = 10_000  # in the spool
    objects: int = 40  # of 5 MB
    rounds: int = 40  # of sealing
    calls: int = 200  # of every question
    seed: int = 1


def run(given: Parameters, directory: Path) -> dict[str, Any]:
    """Return the result document. ``directory``: scratch, on the disk to measure."""
    with pinned() as cores, open_stand(directory / "stand", cameras=_CAMERAS, store=True) as stand:
        accounts = Accounts(stand.service_pids())
        first = accounts.read()
        with cores.measuring():
            headline, cases = _all(given, stand, directory)
        usage = between(first, accounts.read())
        raised = doubts(usage, cores=cores.usable, generator=None)
    return document("storage", parameters=asdict(given), headline=headline, cases=cases, doubts=raised, missing={})


def _all(given: Parameters, stand: Stand, directory: Path) -> tuple[dict[str, float], list[dict[str, Any]]]:
    assert stand.store is not None
    headline, cases = sealing.measure(given.rounds)
    for more, fresh in (
        asyncio.run(objects.measure(stand.store.settings, given.objects, directory)),
        spool.measure(given.files, directory),
    ):
        headline |= more
        cases += fresh
    for rows in given.rows:
        cases += asyncio.run(queries.measure(stand, rows, given.calls, given.seed))
    return headline, cases
