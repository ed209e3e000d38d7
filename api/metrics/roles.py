"""The roles' status files for Prometheus: every number, no text.

``tallenne_<role>_<name>{instance}``: lag, counters since the role's start, states as 0 and 1. A stopped role
has no file, a crashed one leaves its last: ``tallenne_role_updated_seconds`` tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from domain.time import NS
from runtime.status import statuses

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,60}")
_OWN: Final = ("pid", "period_s", "updated_ns", "updated_mono_ns")
_LABELS: Final = ("role", "instance")


class RoleCollector(Collector):
    """Reads the files at each request."""

    def __init__(self, run_directory: Path) -> None:
        self._run_directory = run_directory

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the roles' status files as Prometheus metrics."""
        said = [one for one in statuses(self._run_directory) if _NAME.fullmatch(str(one.get("role")))]
        yield _family("tallenne_role_ready", "1: ready, without problems.", _LABELS, _states(said))
        yield _family("tallenne_role_problems", "Number of present problems.", _LABELS, _problems(said))
        yield _family("tallenne_role_updated_seconds", "Last update of its status, Unix time.", _LABELS, _times(said))
        numbers: dict[str, list[tuple[tuple[str, ...], float]]] = {}
        for one in said:
            for name, value in one.items():
                if isinstance(value, (int, float)) and name not in _OWN and _NAME.fullmatch(name):
                    full = f"tallenne_{one['role']}_{name}"
                    numbers.setdefault(full, []).append(((str(one.get("instance")),), float(value)))
        for full, values in sorted(numbers.items()):
            yield _family(full, "As the role's README says.", ("instance",), values)


def _who(one: dict[str, Any]) -> tuple[str, ...]:
    return (str(one["role"]), str(one.get("instance")))


def _states(said: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, ...], float]]:
    return ((_who(one), float(one.get("state") == "ready")) for one in said)


def _problems(said: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, ...], float]]:
    return ((_who(one), float(len(one.get("problems", ())))) for one in said)


def _times(said: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, ...], float]]:
    return ((_who(one), one["updated_ns"] / NS) for one in said if isinstance(one.get("updated_ns"), int))


def _family(
    name: str, what: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family
