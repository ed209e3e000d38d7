"""A result: one JSON document with the machine, the parameters, the figures, and what makes them doubtful."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.frame import machine
from benchmarks.frame.trust import Doubt
from domain.time import to_iso

SCHEMA = json.loads((Path(__file__).parent / "result.schema.json").read_text())


def document(
    benchmark: str,
    *,
    parameters: Mapping[str, Any],
    headline: Mapping[str, Any],
    cases: Sequence[Mapping[str, Any]],
    doubts: Sequence[Doubt],
    missing: Mapping[str, str],
) -> dict[str, Any]:
    """The whole result.

    headline: the figures an issue or a report asks for by name; they become top-level keys
    cases: one object per measured thing (ours, a peer, a floor), each with ``name`` and its figures
    missing: what was asked for and could not be run, with the reason
    """
    return {
        "benchmark": benchmark,
        "revision": machine.revision(),
        "finished_at": to_iso(time.time_ns()),
        **headline,
        "trusted": not doubts,
        "doubts": [asdict(doubt) for doubt in doubts],
        "missing": dict(missing),
        "parameters": dict(parameters),
        "machine": machine.describe(),
        "cases": [dict(case) for case in cases],
    }


def rounded(value: Any, digits: int = 4) -> Any:
    """Floats cut to ``digits`` significant digits, all the way down: noise is not information."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, Mapping):
        return {key: rounded(inner, digits) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner, digits) for inner in value]
    return value


def as_json(result: Mapping[str, Any]) -> str:
    """One line, as ``--json`` prints it."""
    return json.dumps(rounded(result))
