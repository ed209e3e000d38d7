"""Pages of docs/ that name tests: which, whether one is named, and which of them are not there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TRUST: Final = ROOT / "docs" / "TRUST.md"
LAW: Final = ROOT / "docs" / "LAW.md"
MARKERS: Final = {"trust": TRUST, "law": LAW}
"""Markers, by which `pytest -m` runs what a page names."""
_NAMED: Final = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@cache
def named(page: Path) -> dict[str, frozenset[str]]:
    """By file; no names: all of it."""
    found: dict[str, set[str]] = {}
    for path, name in _NAMED.findall(page.read_text(encoding="utf-8")):
        found.setdefault(path, set()).add(name)
    return {path: frozenset() if "" in names else frozenset(names) for path, names in found.items()}


def is_named(page: Path, node: str) -> bool:
    """Whether the page names a test by its pytest id."""
    path, _, name = node.partition("::")
    names = named(page).get(path)
    return names is not None and (not names or name.partition("[")[0] in names)


def missing(page: Path) -> list[str]:
    """What the page names and what is not there."""
    found = []
    for path, names in named(page).items():
        file = ROOT / path
        if not file.is_file():
            found.append(path)
            continue
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        there = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        found += [f"{path}::{name}" for name in names - there]
    return found


def rows(page: Path) -> list[list[str]]:
    """The cells of the page's tables, heads left out."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if not line.endswith("| tests |")]
