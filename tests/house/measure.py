"""The measures of a tree, as plain data."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from tests.house.imports import cycles, edges
from tests.house.repeats import repeats
from tests.house.text import functions_of, length_of, lines_of, undocumented
from tests.house.tree import Tree, folder_of, modules, package_of, source

Measures = dict[str, Any]


def measure(tree: Tree) -> Measures:
    """All of them, ready for JSON."""
    code = source(tree)
    graph = edges(tree)
    found = repeats(code)
    return {
        "files_per_folder": dict(sorted(files_per_folder(tree).items())),
        "packages": _packages(code),
        "module_lines": _sizes([text.count("\n") for _, text in modules(code)]),
        "function_lines": _sizes([length_of(function) for text in code.values() for _, function in functions_of(text)]),
        "modules": sum(1 for _ in modules(code)),
        "modules_without_test": modules_without_test(tree),
        "modules_without_test_beside": modules_without_test_beside(tree),
        "repeats": len(found),
        "repeated_lines": sum(run.lines for run in found),
        "longest_repeats": [f"{run.lines} lines: {run.first} and {run.second}" for run in found[:20]],
        "import_edges": sum(len(targets) for targets in graph.values()),
        "import_cycles": [list(cycle) for cycle in cycles(graph)],
    }


def files_per_folder(tree: Tree) -> Counter[str]:
    """Python files directly in each folder."""
    return Counter(folder_of(path) for path in tree)


def long_functions(tree: Tree, lines_max: int) -> list[str]:
    """``path:line: name, n lines`` for each function of more than ``lines_max`` lines."""
    return [
        f"{path}:{function.lineno}: {name}, {length_of(function)} lines"
        for path, text in tree.items()
        for name, function in functions_of(text)
        if length_of(function) > lines_max
    ]


def modules_without_test(tree: Tree) -> list[str]:
    """Modules for which no test file of the same name stands anywhere, ``test_<module>.py``."""
    tests = {PurePosixPath(path).stem for path in tree if package_of(path) == "tests"}
    return [path for path, _ in modules(source(tree)) if f"test_{PurePosixPath(path).stem}" not in tests]


def modules_without_test_beside(tree: Tree) -> list[str]:
    """Modules without ``tests/<any>/<same folder>/test_<module>.py``."""
    tests = {"/".join(path.split("/")[2:]) for path in tree if package_of(path) == "tests"}
    return [path for path, _ in modules(source(tree)) if _test_of(path) not in tests]


def _test_of(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/test_{name}"


def _packages(code: Tree) -> dict[str, dict[str, Any]]:
    """By top-level package: lines, share of all lines, comments per 100 lines of code, functions without docstring."""
    texts: dict[str, list[str]] = defaultdict(list)
    for path, text in code.items():
        texts[package_of(path)].append(text)
    everything = sum(text.count("\n") for text in code.values())
    return {package: _package(texts[package], everything) for package in sorted(texts)}


def _package(texts: Sequence[str], everything: int) -> dict[str, Any]:
    counted = [lines_of(text) for text in texts]
    total, coded = sum(lines.total for lines in counted), sum(lines.code for lines in counted)
    return {
        "files": len(texts),
        "lines": total,
        "share_percent": round(100 * total / everything, 1),
        "comments_per_100": round(100 * sum(lines.comments for lines in counted) / max(1, coded), 1),
        "undocumented": sum(len(undocumented(text)) for text in texts),
    }


def _sizes(sizes: Sequence[int]) -> dict[str, int]:
    """Median, the size that nine of ten do not exceed, the largest."""
    ordered = sorted(sizes)
    return {
        "count": len(ordered),
        "median": int(statistics.median(ordered)),
        "p90": ordered[int(0.9 * (len(ordered) - 1))],
        "max": ordered[-1],
    }
