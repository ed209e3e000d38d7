"""``tallenne bench all``: every benchmark, then the report."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report.write import write_report
from benchmarks.suites import clip, index, ingest, storage

Suites = dict[str, Callable[[Path], dict[str, Any]]]


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.description = "Every benchmark, then a report: one HTML file, Markdown, and JSON. About 10 minutes."
    parser.add_argument("--quick", action="store_true", help="under 3 minutes; small, so less certain")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the report goes")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="on the disk to be measured (default: temporary)")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Run them one after another; a report is written after each, so that a stop loses nothing that was measured."""
    results: dict[str, dict[str, Any]] = {}
    for name, suite in (_quick() if given.quick else _whole()).items():
        began = time.monotonic()
        print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="tallenne-bench-", dir=given.scratch) as scratch:
            results[name] = suite(Path(scratch))
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
        page = write_report(results, given.out)
    print(page)
    return 0


def _whole() -> Suites:
    return {
        "ingest": lambda at: ingest.run(
            ingest.Parameters(seconds=10.0, scaling=(10, 50, 100, 200), embedded_store=True), at
        ),
        "storage": lambda at: storage.run(storage.Parameters(rows=(1_000_000,)), at),
        "index": lambda at: index.run(index.Parameters(events=30_000), at),
        "clip": lambda at: clip.run(clip.Parameters(), at),
    }


def _quick() -> Suites:
    few = ingest.Parameters(cameras=10, seconds=6.0, warm_up_s=1.5, segment_s=6.0, baselines=False)
    small = storage.Parameters(rows=(50_000,), files=1_000, objects=10, rounds=10, calls=50)
    return {
        "ingest": lambda at: ingest.run(few, at),
        "storage": lambda at: storage.run(small, at),
        "index": lambda at: index.run(index.Parameters(events=5_000, rows=(50_000,), seconds=5.0), at),
        "clip": lambda at: clip.run(clip.Parameters(staff=(1, 5), rounds=16, cameras=5, footage_s=40), at),
    }
