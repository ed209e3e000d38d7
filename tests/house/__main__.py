"""``python -m tests.house [--revision REV] [--json]``: the measures as a table or as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.house.measure import Measures, measure
from tests.house.tree import revision, work_tree

_WIDTH = 44


def main() -> None:
    """Print the measures of the work tree, beside those of a revision when one is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.house", description=__doc__)
    parser.add_argument("--revision", metavar="REV", help="measure this commit too, and print it first")
    parser.add_argument("--json", action="store_true", help="print JSON, with every name that the table only counts")
    arguments = parser.parse_args()
    columns = {arguments.revision: measure(revision(arguments.revision))} if arguments.revision else {}
    columns["now"] = measure(work_tree())
    print(json.dumps(columns, indent=1) if arguments.json else "\n".join(table(columns)))


def table(columns: dict[str, Measures]) -> Iterator[str]:
    """A line for each measure, a column for each tree."""
    yield _row("", list(columns))
    found = list(columns.values())
    yield _row("Python files in the fullest folder", [_fullest(one["files_per_folder"]) for one in found])
    yield _row("folders with more than 15", [sum(n > 15 for n in one["files_per_folder"].values()) for one in found])
    for name, key in (("module", "module_lines"), ("function", "function_lines")):
        yield _row(f"lines of a {name}: median, p90, max", [_sizes(one[key]) for one in found])
    yield _row("modules", [one["modules"] for one in found])
    yield _row("modules without a test of their name", [len(one["modules_without_test"]) for one in found])
    yield _row("modules without a test in the same place", [len(one["modules_without_test_beside"]) for one in found])
    yield _row("runs of 6 lines or more that repeat", [one["repeats"] for one in found])
    yield _row("lines in them", [one["repeated_lines"] for one in found])
    yield _row("imports between folders", [one["import_edges"] for one in found])
    yield _row("cycles among them", [len(one["import_cycles"]) for one in found])
    for key, title in (
        ("lines", "lines"),
        ("share_percent", "% of all lines"),
        ("comments_per_100", "comments per 100 lines of code"),
        ("undocumented", "public functions without docstring"),
    ):
        yield f"\n{title}"
        for package in sorted({package for one in found for package in one["packages"]}):
            yield _row(f"  {package}", [one["packages"].get(package, {}).get(key, "-") for one in found])


def _row(name: str, values: Sequence[Any]) -> str:
    return f"{name:{_WIDTH}}" + "".join(f"{value!s:>22}" for value in values)


def _fullest(folders: dict[str, int]) -> str:
    folder = max(folders, key=lambda name: folders[name])
    return f"{folders[folder]} ({folder})"


def _sizes(sizes: dict[str, int]) -> str:
    return f"{sizes['median']}, {sizes['p90']}, {sizes['max']}"


if __name__ == "__main__":
    main()
