"""The committed baseline: ratios alone, since absolute figures move from machine to machine.

``benchmarks/baseline.json`` is a ``ratios.json`` that `tallenne bench all` wrote, copied here when a change is meant.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.frame.result import rounded
from benchmarks.report.headline import Results, figure

RATIO_HEAD = ("Ratio", "Now", "Baseline", "Now / baseline")

_FILE = Path(__file__).resolve().parents[1] / "baseline.json"


def ratios(results: Results) -> dict[str, float]:
    """Every headline figure that is a ratio, by ``benchmark.key``."""
    return {
        f"{name}.{key}": rounded(value)
        for name, result in results.items()
        for key, value in result.items()
        if "ratio" in key and isinstance(value, float)
    }


def against_baseline(results: Results) -> list[tuple[str, ...]]:
    """Rows under RATIO_HEAD. A difference here is a hint; `tallenne bench compare` decides."""
    known: dict[str, float] = json.loads(_FILE.read_text()) if _FILE.exists() else {}
    return [
        (key, figure(now), figure(known.get(key)), figure(now / known[key] if known.get(key) else None))
        for key, now in ratios(results).items()
    ]
