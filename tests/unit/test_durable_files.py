"""What outlives a process is written whole and durably: no power cut leaves an empty file in place of the real one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "alarms",
    "api",
    "custodian",
    "demo",
    "domain",
    "indexer",
    "ingest",
    "live",
    "masking",
    "paper",
    "pipeline",
    "runtime",
    "storage",
    "upkeep",
)
HASTY = ("write_text", "write_bytes")
FOR_ONE_RUN = {
    "api/export/verify.py",  # what openssl reads, in a temporary folder
    "pipeline/smoke/run.py",  # its positive control
    "pipeline/smoke/forgetting.py",  # the certificates, for their verifier
}


def hasty_writes(source: str) -> list[int]:
    """Lines that write a file in place, unsynced."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [node.lineno for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr in HASTY]


def test_no_module_writes_a_file_in_place() -> None:
    """Use runtime.private_files.write_private(), or replace_file()."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name not in FOR_ONE_RUN:
                found += [f"{name}:{line}" for line in hasty_writes(path.read_text())]
    assert found == []


@pytest.mark.parametrize("name", sorted(FOR_ONE_RUN))
def test_exceptions_are_still_needed(name: str) -> None:
    assert hasty_writes((ROOT / name).read_text())
