"""`tallenne bench` hands its arguments over unchanged."""

from __future__ import annotations

import argparse
import os
import sys

import pytest

from pipeline.commands import bench


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["--help"]),
        (["ingest", "--cameras", "4"], ["ingest", "--cameras", "4"]),
        (["all", "--", "-h"], ["all", "--", "-h"]),
    ],
)
def test_arguments_reach_the_benchmarks(words: list[str], expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: calls.append((program, arguments)))
    parser = argparse.ArgumentParser()
    bench.add(parser)
    bench.run(parser.parse_args(words))
    assert calls == [(sys.executable, [sys.executable, "-m", "benchmarks", *expected])]
