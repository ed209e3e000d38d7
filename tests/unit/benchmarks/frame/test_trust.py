"""Doubts: none in a quiet run, named in a disturbed one, raised by real load."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from benchmarks.frame.accounting import Accounts, Usage, between
from benchmarks.frame.trust import doubts


def _usage(**changed: float) -> Usage:
    fields = {"elapsed_s": 10.0, "machine_cpu_s": 9.0, "softirq_cpu_s": 0.1, "other_cpu_s": 1.0, "clock_step_s": 0.001}
    return Usage(cpu_s={"load": 5.0, "ours": 3.0}, **{**fields, **changed})


def test_doubts_of_a_quiet_run_are_none() -> None:
    assert doubts(_usage(), cores=2, generator="load") == []


@pytest.mark.parametrize(
    ("changed", "late_ms", "code"),
    [
        ({"other_cpu_s": 5.0}, 0.0, "machine_loaded"),
        ({"elapsed_s": 5.5}, 0.0, "generator_saturated"),
        ({}, 500.0, "generator_late"),
        ({"clock_step_s": 0.2}, 0.0, "clock_stepped"),
        ({"elapsed_s": 1.0}, 0.0, "too_short"),
    ],
)
def test_doubts_of_a_disturbed_run_name_the_disturbance(changed: dict[str, float], late_ms: float, code: str) -> None:
    found = doubts(_usage(**changed), cores=2, generator="load", generator_late_ms=late_ms)
    assert code in [doubt.code for doubt in found]


def test_doubts_are_raised_by_real_load_a_real_busy_generator_and_a_clock_that_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disturbance itself, not figures of it: busy processes, once taken for strangers, once for the generator."""
    endless = "while True: pass"
    burners = [subprocess.Popen([sys.executable, "-c", endless]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        foreign, generator = Accounts({}), Accounts({"load": [one.pid for one in burners]})
        before = foreign.read(), generator.read()
        time.sleep(1.0)
        loaded, busy = between(before[0], foreign.read()), between(before[1], generator.read())
        real = time.time
        monkeypatch.setattr("benchmarks.frame.accounting.time.time", lambda: real() + 0.2)
        stepped = between(before[0], foreign.read())
    finally:
        for one in burners:
            one.kill()
            one.wait()
    cores = os.cpu_count() or 1

    def codes(usage: Usage, generator: str | None = None) -> set[str]:
        return {doubt.code for doubt in doubts(usage, cores=cores, generator=generator, shortest_s=0.1)}

    assert "machine_loaded" in codes(loaded)
    assert "clock_stepped" not in codes(loaded)
    # On a machine that others use, too, it may not get its core: then that is what is said.
    assert codes(busy, "load") & {"generator_saturated", "machine_loaded"}
    assert "clock_stepped" in codes(stepped)
