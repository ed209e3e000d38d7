"""The order of a whole run, and who runs what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from _pytest.config import Config

from tests.support.order import COMPUTING, LONG_S, SECONDS, Scheduling, known, measured, ordered
from tests.support.processes.started import ROOT


def test_longest_modules_are_first_and_whole() -> None:
    items = [(name[0], name) for name in ("a1", "b1", "a2", "c1", "d1", "c2")]
    assert ordered(items, {"c": 9, "b": 30, "gone": 40}) == ["b1", "c1", "c2", "a1", "a2", "d1"]
    assert ordered([], {}) == []


def test_what_pytest_prints_of_durations_becomes_seconds_by_module() -> None:
    report = [
        "== slowest durations ==",
        "12.30s call     tests/b/test_b.py::test_one[a::b]",
        "0.60s teardown tests/b/test_b.py::test_one[a::b]",
        "40.00s setup    tests/a/test_a.py::test_two",
        f"{LONG_S - 1}.90s call     tests/c/test_c.py::test_three",
        "1 passed in 3.00s",
    ]
    assert measured(report) == ["  40 tests/a/test_a.py", "  13 tests/b/test_b.py"]


def test_modules_that_are_listed_exist_and_the_longest_are_first() -> None:
    listed = known(SECONDS)
    assert [name for name in listed if not (ROOT / name).exists()] == []
    assert list(listed.values()) == sorted(listed.values(), reverse=True)
    assert min(listed.values()) >= LONG_S


class Node:
    """A worker, as the controller sees it."""

    def __init__(self, number: int) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}")
        self.shutting_down = False
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        assert not self.shutting_down
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def run(pytestconfig: Config, monkeypatch: pytest.MonkeyPatch, tests: list[str], long: list[str]) -> list[Node]:
    """Workers take turns, a test each, until all are done."""
    nodes = [Node(number) for number in range(6)]
    monkeypatch.setattr("xdist.scheduler.loadscope.parse_tx_spec_config", lambda config: nodes)
    monkeypatch.setattr(pytestconfig.option, "loadscopereorder", True, raising=False)
    made: Any = Scheduling(pytestconfig, None, dict.fromkeys(long, 9))
    for node in nodes:
        made.add_node(node)
        made.add_node_collection(node, tests)
    made.schedule()
    done = dict.fromkeys(nodes, 0)
    while made.has_pending:
        for node in nodes:
            if done[node] < len(node.given):
                done[node] += 1
                made.mark_test_complete(node, node.given[done[node] - 1])
    return nodes


def test_every_test_runs_once_a_module_by_one_worker_and_fewer_compute(
    pytestconfig: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = [f"long{number}.py" for number in range(14)]
    short = [f"short{number}.py" for number in range(40)]
    tests = [f"{name}::test_{number}" for name in [*long, *short] for number in range(4)]
    nodes = run(pytestconfig, monkeypatch, tests, long)
    assert sorted(index for node in nodes for index in node.given) == list(range(len(tests)))
    modules = [{tests[index].partition("::")[0] for index in node.given} for node in nodes]
    assert sum(map(len, modules)) == len(long) + len(short)
    assert [next(iter(sorted(each & {*long}))) for each in modules]  # all had something long
    assert sum(any(name in short for name in each) for each in modules) == COMPUTING
    assert all(node.shutting_down for node in nodes)
