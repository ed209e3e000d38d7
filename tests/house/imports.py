"""Imports between folders.

A node is a folder with all modules directly in it; of a top-level package, whose root holds its entry point beside its
settings and errors, each module is a node of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tests.house.tree import Tree, folder_of, module_of, source

Edges = Mapping[str, frozenset[str]]


def edges(tree: Tree) -> Edges:
    """For each node of the source the nodes that it imports."""
    paths = {module_of(path): path for path in source(tree) if "/" in path}
    found: dict[str, set[str]] = {_node(path): set() for path in paths.values()}
    for path in paths.values():
        for name in _imported(tree[path]):
            target = _nearest(name, paths)
            if target is not None and _node(paths[target]) != _node(path):
                found[_node(path)].add(_node(paths[target]))
    return {node: frozenset(targets) for node, targets in found.items()}


def cycles(graph: Edges) -> list[tuple[str, ...]]:
    """The strongly connected components of more than one node (Tarjan)."""
    return sorted(component for component in _Components(graph).found if len(component) > 1)


def imported_paths(tree: Tree) -> Mapping[str, set[str]]:
    """For each file the files that it imports, tests included."""
    paths = {module_of(path): path for path in tree}
    return {
        path: {paths[target] for name in _imported(text) if (target := _nearest(name, paths)) is not None}
        for path, text in tree.items()
    }


def routes_that_import_routes(tree: Tree) -> list[tuple[str, str]]:
    """(module, what it imports) where both make an ``APIRouter``: what two rooms share belongs below both."""
    routes = {module_of(path): path for path in source(tree) if "= APIRouter(" in tree[path]}
    return sorted(
        (module, name)
        for module, path in routes.items()
        for name in {_nearest(each, routes) for each in _imported(tree[path])}
        if name is not None and name != module
    )


def _node(path: str) -> str:
    return folder_of(path).replace("/", ".") if path.count("/") > 1 else module_of(path)


def _imported(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _nearest(name: str, paths: Mapping[str, str]) -> str | None:
    """The module that ``name`` is, or is a part of."""
    while name and name not in paths:
        name = name.rpartition(".")[0]
    return name or None


class _Components:
    def __init__(self, graph: Edges) -> None:
        self._graph = graph
        self._index: dict[str, int] = {}
        self._low: dict[str, int] = {}
        self._stack: list[str] = []
        self.found: list[tuple[str, ...]] = []
        for node in graph:
            if node not in self._index:
                self._visit(node)

    def _visit(self, node: str) -> None:
        self._index[node] = self._low[node] = len(self._index)
        self._stack.append(node)
        for target in self._graph[node]:
            if target not in self._index:
                self._visit(target)
                self._low[node] = min(self._low[node], self._low[target])
            elif target in self._stack:
                self._low[node] = min(self._low[node], self._index[target])
        if self._low[node] == self._index[node]:
            at = self._stack.index(node)
            self.found.append(tuple(sorted(self._stack[at:])))
            del self._stack[at:]
