"""The order of a whole run: tests that wait stand among those that compute, so that no core is idle.

pytest-xdist gives each worker a run of neighbours. By folder, one would get nothing but waits, and all would wait at
the end. A module's tests stay together, since they share what it starts.

A worker that has nothing left takes half of what another still has, from its end: it would cut a module in two, and
both start what it shares. So modules that start a whole gym, and whose tests build on each other, are the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

_Item = TypeVar("_Item")


def spread(
    items: Sequence[_Item],
    module: Callable[[_Item], object],
    waits: Callable[[_Item], bool],
    builds: Callable[[_Item], bool],
) -> list[_Item]:
    """Modules with tests that wait at equal distances among the others, each as it was; those that build first."""
    modules: dict[object, list[_Item]] = {}
    for item in items:
        modules.setdefault(module(item), []).append(item)
    waiting = [each for each in modules.values() if any(map(waits, each))]
    waiting.sort(key=lambda each: not any(map(builds, each)))
    others = [each for each in modules.values() if not any(map(waits, each))]
    total = sum(map(len, others))
    order: list[_Item] = []
    passed = 0
    for number, each in enumerate(waiting):
        while others and passed * len(waiting) < total * number:
            passed += len(others[0])
            order += others.pop(0)
        order += each
    for each in others:
        order += each
    return order
