"""`tallenne bench`: hands over to the benchmarks, which may import everything and which nothing imports."""

from __future__ import annotations

import argparse
import os
import sys


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = "`tallenne bench ingest --help` and so on list the arguments of each."
    parser.add_argument(
        "benchmark", nargs=argparse.REMAINDER, metavar="...", help="ingest, storage, index, clip, all or compare"
    )


def run(arguments: argparse.Namespace) -> int:
    """Replace this process by the benchmarks; does not return."""
    words = arguments.benchmark or ["--help"]
    os.execv(sys.executable, [sys.executable, "-m", "benchmarks", *words])
