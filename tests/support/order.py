"""The order of a whole run, and who runs what: the dearest modules first, each whole, and more at once where they wait.

A module's tests share what it starts, so that one worker runs them all. The longest come first: at the end of a run
nothing long is left for one worker alone. Modules that start gyms and browsers wait more than they compute; while such
are left there are more workers than later, when tests compute only and would but be in each other's way.

tests/support/seconds.txt says how long modules took. To measure anew, on a quiet machine:

    ./test --durations=0 | python -m tests.support.order >seconds.txt && mv seconds.txt tests/support/
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

SECONDS: Final = Path(__file__).with_name("seconds.txt")
LONG_S: Final = 5
"""A module that takes less has no line."""
COMPUTING: Final = 4
"""Workers for what is left once every long module has begun."""
_DURATION: Final = re.compile(r"(\d+\.\d+)s (?:call|setup|teardown) +(\S+?\.py)::")
_Item = TypeVar("_Item")


def known(path: Path = SECONDS) -> dict[str, int]:
    """Seconds by module, as its file is named from the root."""
    pairs = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {name: int(seconds) for seconds, name in pairs}


def ordered(items: Sequence[tuple[str, _Item]], seconds: Mapping[str, int]) -> list[_Item]:
    """Each with its module: the longest modules first, the others as they were; a module's items stay together."""
    modules: dict[str, list[_Item]] = {}
    for module, item in items:
        modules.setdefault(module, []).append(item)
    names = sorted(modules, key=lambda name: -seconds.get(name, 0))
    return [item for name in names for item in modules[name]]


class Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """Whole modules in the order of collection; some workers end once every long module has begun."""

    def __init__(self, config: Any, log: Any, seconds: Mapping[str, int]) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # it would put those with the most tests first
        self._seconds = seconds

    def _reschedule(self, node: WorkerController) -> None:
        if self.workqueue and not node.shutting_down and self._is_spare():
            if self._pending_of(self.assigned_work[node]) <= 2:
                node.shutdown()  # behind what it has
            return
        super()._reschedule(node)

    def _is_spare(self) -> bool:
        """Whether nothing long is left to begin, and others suffice for the rest."""
        at_work = sum(not node.shutting_down for node in self.nodes)
        return at_work > COMPUTING and next(iter(self.workqueue)) not in self._seconds


def measured(report: Iterable[str]) -> list[str]:
    """The lines of seconds.txt from pytest's list of durations."""
    total: dict[str, float] = defaultdict(float)
    for line in report:
        if found := _DURATION.match(line):
            total[found[2]] += float(found[1])
    long = sorted((-seconds, name) for name, seconds in total.items() if seconds >= LONG_S)
    return [f"{round(-seconds):4} {name}" for seconds, name in long]


if __name__ == "__main__":
    print(*measured(sys.stdin), sep="\n")
