"""Puts faults into functions of a process that has collected the tests, a forked child each: no start, no collection.

A pytest plugin. The baseline runs the tests once and notes which functions each one calls; for a fault in a function
only the tests that call it run, the quickest first, until one fails. Only code objects are exchanged: whoever imported
the function has the fault, too.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import select
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.changes import Mutant, function_code, mutants_of, mutated
from tests.mutants.modules import ROOT

_SLOWEST_S: Final = 5.0
_TIMES: Final = 10.0
"""A mutant that runs so much longer than its tests did without it is killed: it loops."""

Functions = defaultdict[tuple[str, str], list[FunctionType]]
"""By file and qualified name."""

Code = tuple[str, int]
"""File and first line of a function."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of the mutants."""

    killed: list[Mutant] = field(default_factory=list)
    survived: list[Mutant] = field(default_factory=list)
    unreached: list[Mutant] = field(default_factory=list)  # no unit test calls the function: counted as survived

    @property
    def share(self) -> float:
        """Of all mutants, those killed."""
        total = len(self.killed) + len(self.survived) + len(self.unreached)
        return len(self.killed) / total if total else 1.0


def chosen(modules: Sequence[str], sample: int | None, seed: int) -> list[Mutant]:
    """All mutants of the modules; or so many of some modules, drawn by the seed, so that few tests have to run."""
    dice = random.Random(seed)
    order = list(modules) if sample is None else dice.sample(list(modules), len(modules))
    found: list[Mutant] = []
    for module in order:
        if sample is None or len(found) < 2 * sample:
            found += mutants_of(module, (ROOT / module).read_text(encoding="utf-8"))
    if sample is not None and sample < len(found):
        found = dice.sample(found, sample)
    return sorted(found, key=lambda one: (one.module, one.number))


class Mutants:
    """The plugin."""

    def __init__(self, mutants: Sequence[Mutant], *, workers: int = 2) -> None:
        self._mutants, self._workers = mutants, workers
        self.outcome = Outcome()
        self.broken: list[str] = []  # tests that fail without a fault
        self.seconds = 0.0
        self._calls: dict[Code, list[pytest.Item]] = defaultdict(list)
        self._took_s: dict[pytest.Item, float] = {}

    # -- pytest

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the tests as such."""
        started_s = time.monotonic()
        files = {str(ROOT / mutant.module) for mutant in self._mutants}
        self._baseline(session.items, files)
        if not self.broken:
            self._judge(self._mutants, _functions(files))
        self.seconds = time.monotonic() - started_s
        return True

    def _baseline(self, items: Sequence[pytest.Item], files: set[str]) -> None:
        for item, following in zip(items, [*items[1:], None], strict=True):
            called: set[Code] = set()

            def note(frame: FrameType, event: str, _: Any, called: set[Code] = called) -> None:
                if event == "call" and frame.f_code.co_filename in files:
                    called.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

            began_s = time.monotonic()
            sys.setprofile(note)
            try:
                reports = runtestprotocol(item, nextitem=following, log=False)
            finally:
                sys.setprofile(None)
            self._took_s[item] = time.monotonic() - began_s
            if any(report.failed for report in reports):
                self.broken.append(item.nodeid)
            for code in called:
                self._calls[code].append(item)

    # -- Mutants

    def _judge(self, mutants: Sequence[Mutant], functions: Functions) -> None:
        waiting, running = list(reversed(mutants)), dict[int, _Child]()
        gc.collect()
        gc.freeze()
        while waiting or running:
            while waiting and len(running) < self._workers:
                mutant = waiting.pop()
                child = self._begun(mutant, functions)
                if child is not None:
                    running[child.descriptor] = child
            if not running:
                continue
            wait_s = max(0.0, min(child.until_s for child in running.values()) - time.monotonic())
            ready, _, _ = select.select(list(running), [], [], wait_s)
            late = [each for each, child in running.items() if child.until_s <= time.monotonic()]
            for descriptor in {*ready, *late}:
                child = running.pop(descriptor)
                (self.outcome.survived if child.survived() else self.outcome.killed).append(child.mutant)

    def _begun(self, mutant: Mutant, functions: Functions) -> _Child | None:
        filename = str(ROOT / mutant.module)
        code = mutated(Path(filename).read_text(encoding="utf-8"), mutant, filename)
        new = function_code(code, mutant.function, mutant.line)
        targets = [one for one in functions[filename, mutant.function] if new and _fits(one, new)]
        items = sorted(
            {item for one in targets for item in self._calls.get((filename, one.__code__.co_firstlineno), ())},
            key=lambda item: self._took_s[item],
        )
        if new is None or not items:
            self.outcome.unreached.append(mutant)
            return None
        limit_s = _SLOWEST_S + _TIMES * sum(self._took_s[item] for item in items)
        return _Child.forked(mutant, targets, new, items, limit_s)


@dataclass(slots=True, kw_only=True)
class _Child:
    mutant: Mutant
    pid: int
    descriptor: int
    until_s: float

    @classmethod
    def forked(
        cls,
        mutant: Mutant,
        targets: Sequence[FunctionType],
        code: CodeType,
        items: Sequence[pytest.Item],
        limit_s: float,
    ) -> _Child:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            os.setpgid(0, 0)
            try:
                _quiet()
                for target in targets:
                    target.__code__ = code
                os.write(writing, b"s" if _passes(items) else b"k")
            finally:
                os._exit(0)
        os.close(writing)
        return cls(mutant=mutant, pid=pid, descriptor=reading, until_s=time.monotonic() + limit_s)

    def survived(self) -> bool:
        """Ends it, and what it started. No answer: it crashed or looped, which a test would show."""
        answered = bool(select.select([self.descriptor], [], [], 0)[0])
        word = os.read(self.descriptor, 1) if answered else b""
        os.close(self.descriptor)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return word == b"s"


def _quiet() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _passes(items: Sequence[pytest.Item]) -> bool:
    try:
        return not any(report.failed for item in items for report in runtestprotocol(item, nextitem=None, log=False))
    except BaseException:  # noqa: BLE001 (a fault may raise anything, an exit too)
        return False


def _functions(files: set[str]) -> Functions:
    """All functions of these files that are alive, however they are wrapped."""
    found: Functions = defaultdict(list)
    gc.unfreeze()  # what is frozen is not among the objects: see tests/conftest.py
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename in files:
            found[one.__code__.co_filename, one.__code__.co_qualname].append(one)
    return found


def _fits(function: FunctionType, code: CodeType) -> bool:
    """Same function, same free variables: the code can take the place of the function's."""
    old = function.__code__
    return old.co_freevars == code.co_freevars and old.co_firstlineno == code.co_firstlineno
