"""The little statistics that the frame needs, on numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """y = intercept + slope * x, by least squares."""

    slope: float
    intercept: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How B compares with A: the ratio of costs, B over A, and the interval that holds it."""

    ratio: float
    low: float
    high: float
    pairs: int

    @property
    def slower(self) -> bool:
        """The whole interval lies above one."""
        return self.low > 1.0

    @property
    def faster(self) -> bool:
        """Whether the whole interval lies below 1."""
        return self.high < 1.0


def fit_line(x: Sequence[float], y: Sequence[float]) -> Line:
    """Needs two points or more."""
    slope, intercept = np.polyfit(np.asarray(x, float), np.asarray(y, float), 1)
    return Line(slope=float(slope), intercept=float(intercept))


def percentile(values: Sequence[float], per_cent: float) -> float:
    """Linear between the two nearest; NaN of nothing."""
    return float(np.percentile(values, per_cent)) if len(values) else float("nan")


def median(values: Sequence[float]) -> float:
    """Return the median; NaN of nothing."""
    return percentile(values, 50)


def paired_effect(a: Sequence[float], b: Sequence[float], *, confidence: float, seed: int) -> Effect:
    """The effect between costs measured side by side: ``a[i]`` and ``b[i]`` in one interleaved pair.

    The median of the log ratios, with a bootstrap interval over pairs: pairing takes the machine's slow drift out, the
    median the single disturbed run. Seeded, so the same costs give the same interval.
    """
    logs = np.log(np.asarray(b, float)) - np.log(np.asarray(a, float))
    random = np.random.default_rng(seed)
    picks = random.integers(0, len(logs), size=(4000, len(logs)))
    medians = np.median(logs[picks], axis=1)
    tail = (1 - confidence) / 2 * 100
    low, high = np.percentile(medians, [tail, 100 - tail])
    return Effect(
        ratio=float(np.exp(np.median(logs))), low=float(np.exp(low)), high=float(np.exp(high)), pairs=len(logs)
    )
