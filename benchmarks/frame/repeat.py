"""The same benchmark several times: the medians, and how far apart the runs were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

from benchmarks.frame.result import SCHEMA
from benchmarks.frame.statistics import median

_FRAME: Final = frozenset(SCHEMA["required"])  # what every result has; the rest is its headline


def combined(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One result of several of one benchmark with the same parameters: figures are medians.

    ``runs``: how many; ``spread``: of each headline figure the lowest and the highest. A doubt about one run is one
    about all of them, and says which it was.
    """
    last = results[-1]
    if len(results) == 1:
        return dict(last)
    headline = {key: _of([result.get(key) for result in results]) for key in last if key not in _FRAME}
    spread = {}
    for key in headline:
        values = [value for result in results if _is_figure(value := result.get(key))]
        if len(values) == len(results):
            spread[key] = [min(values), max(values)]
    doubts = [
        {**doubt, "detail": f"run {number}: {doubt['detail']}"}
        for number, result in enumerate(results, 1)
        for doubt in result["doubts"]
    ]
    return {
        **last,
        **headline,
        "runs": len(results),
        "spread": spread,
        "trusted": not doubts,
        "doubts": doubts,
        "cases": _cases(results),
    }


def _cases(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for case in results[-1]["cases"]:
        same = [other for result in results for other in result["cases"] if _key(other) == _key(case)]
        found.append({key: _of([other.get(key) for other in same]) for key in case})
    return found


def _key(case: Mapping[str, Any]) -> tuple[Any, ...]:
    """Some benchmarks measure one thing at several sizes under one name."""
    return tuple(case.get(key) for key in ("name", "cameras", "staff", "rows", "scaling"))


def _of(values: Sequence[Any]) -> Any:
    if all(_is_figure(value) for value in values):
        middle = median(values)
        return round(middle) if all(isinstance(value, int) for value in values) else middle
    return values[-1]


def _is_figure(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
