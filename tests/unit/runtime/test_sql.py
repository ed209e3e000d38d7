"""Named queries: how a file is read, and that every query is loaded and every query that is loaded exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from runtime.sql import load, named, queries
from tests.house.tree import ROOT, source, work_tree

PACKAGES = sorted(
    str(folder.parent.relative_to(ROOT)).replace("/", ".")
    for folder in ROOT.glob("[a-z]*/**/sql")
    if "tests" not in folder.parts
)


@pytest.fixture(scope="module")
def modules() -> list[ast.Module]:
    """The source that speaks SQL."""
    return [ast.parse(text) for text in source(work_tree()).values() if "sql" in text]


@pytest.fixture(scope="module")
def texts(modules: list[ast.Module]) -> set[str]:
    """Every text that stands in it."""
    return {node.value for module in modules for node in ast.walk(module) if _is_text(node)}


def test_queries_of_a_file_are_told_apart_by_name() -> None:
    text = "-- name: one\n-- Why.\nSELECT 1;\n\n-- name: two\nSELECT $1\n"
    assert dict(named(text)) == {"one": "-- Why.\nSELECT 1;", "two": "SELECT $1"}


def test_text_before_the_first_name_is_refused() -> None:
    with pytest.raises(ValueError, match="SELECT 1"):
        list(named("SELECT 1\n-- name: two\nSELECT 2\n"))


def test_query_that_comes_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "twice/sql").mkdir(parents=True)
    (tmp_path / "twice/__init__.py").touch()
    for file in ("a.sql", "b.sql"):
        (tmp_path / "twice/sql" / file).write_text("-- name: same\nSELECT 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="same comes twice"):
        queries("twice")


def test_unknown_query_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        load("storage.catalogue", "no_such_query")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_query_is_used_and_parameters_are_numbered(package: str, texts: set[str]) -> None:
    assert files(package).joinpath("sql").is_dir()
    for name, statement in queries(package).items():
        assert name in texts, f"{package}: nobody loads {name}"
        numbers = {int(number) for number in re.findall(r"\$(\d+)", statement)}
        assert numbers == set(range(1, len(numbers) + 1)), f"{package}: {name} skips a parameter"


def test_every_query_that_is_loaded_exists(modules: list[ast.Module]) -> None:
    wanted = {pair for module in modules for pair in _loaded(module)}
    assert len(wanted) > 100
    assert sorted(pair for pair in wanted if pair[1] not in queries(pair[0])) == []


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _loaded(module: ast.Module) -> Iterator[tuple[str, str]]:
    """(package, query) of each ``sql.load(...)`` whose arguments are texts or names of texts of the module."""
    constants = {
        target.id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _is_text(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "sql.load":
            package, name = (
                constants.get(argument.id) if isinstance(argument, ast.Name) else getattr(argument, "value", None)
                for argument in node.args
            )
            if package is not None and name is not None:
                yield package, name
