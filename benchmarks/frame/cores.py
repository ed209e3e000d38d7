"""Who runs where: the load and all services on one core, what is measured on the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """None: there is only one core to use, and nothing is pinned."""

    load: int | None
    measured: int | None
    usable: int

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """What this very process does within the block is measured: it moves to the measured core."""
        if self.measured is None:
            yield
            return
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {self.measured})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


@contextmanager
def pinned() -> Iterator[Cores]:
    """Pin this process to the load's core, and with it every service and generator that it starts from now on.

    What is measured is then moved to the other core by ``child(core=...)``. Undone on leaving.
    """
    before = os.sched_getaffinity(0)
    usable = sorted(before)
    if len(usable) < 2:
        yield Cores(load=None, measured=None, usable=len(usable))
        return
    os.sched_setaffinity(0, {usable[0]})
    try:
        yield Cores(load=usable[0], measured=usable[1], usable=len(usable))
    finally:
        os.sched_setaffinity(0, before)
