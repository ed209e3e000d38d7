"""Lines and percentiles."""

from __future__ import annotations

import numpy as np

from benchmarks.frame.statistics import fit_line, percentile


def test_fit_line_of_exact_points_gives_slope_and_intercept() -> None:
    line = fit_line([10, 50, 100], [7, 27, 52])
    assert abs(line.slope - 0.5) < 1e-9
    assert abs(line.intercept - 2) < 1e-9


def test_percentile_of_nothing_is_nan() -> None:
    assert np.isnan(percentile([], 99))
