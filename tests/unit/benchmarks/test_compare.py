"""A revision against itself is seldom a change; a real slowdown is one."""

from __future__ import annotations

import numpy as np

from benchmarks.compare import verdict


def _costs(random: np.random.Generator, pairs: int, slowdown: float) -> tuple[list[float], list[float]]:
    """Pairs on a machine that drifts by a third and jitters by 2 %, with one pair in ten badly disturbed."""
    drift = 1 + 0.3 * np.sin(np.linspace(0, 3, pairs))
    jitter = random.normal(1, 0.02, (2, pairs)) + (random.random((2, pairs)) < 0.1) * random.random((2, pairs))
    return list(drift * jitter[0]), list(drift * jitter[1] * slowdown)


def test_verdict_of_a_revision_against_itself_is_seldom_a_change() -> None:
    random = np.random.default_rng(1)
    called = [verdict("x", _costs(random, 15, 1.0), seed=i).called for i in range(200)]
    assert sum(word != "no change seen" for word in called) <= 4


def test_verdict_of_a_thirty_per_cent_slowdown_is_slower() -> None:
    random = np.random.default_rng(2)
    called = [verdict("x", _costs(random, 15, 1.3), seed=i).called for i in range(50)]
    assert called.count("slower") >= 49


def test_verdict_of_a_speed_up_is_faster() -> None:
    assert verdict("x", _costs(np.random.default_rng(3), 15, 0.7), seed=0).called == "faster"
