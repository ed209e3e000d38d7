"""Lines, comments, docstrings and functions of one module."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

_NOT_A_REASON = ("noqa", "type:", "pragma", "!")
SHORT_LINES = 3
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Counts of one module. A line with code and a comment counts in both."""

    total: int
    code: int  # neither blank, nor only a comment, nor a docstring
    comments: int  # notes to tools ("noqa") are none


def lines_of(text: str) -> Lines:
    commented: set[int] = set()
    coded: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if not token.string.lstrip("#").strip().startswith(_NOT_A_REASON):
                commented.add(token.start[0])
        elif token.type not in _LAYOUT:
            coded.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            coded.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return Lines(total=text.count("\n"), code=len(coded), comments=len(commented))


_LAYOUT = frozenset(
    {
        tokenize.NEWLINE,
        tokenize.NL,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
)


def functions_of(text: str) -> Iterator[tuple[str, Function]]:
    """Every function and method with its dotted name, nested ones too."""
    yield from _functions(ast.parse(text), "")


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, Function):
            yield f"{prefix}{child.name}", child
            yield from _functions(child, f"{prefix}{child.name}.<locals>.")
        else:
            yield from _functions(child, prefix)


def length_of(function: Function) -> int:
    """Lines from ``def`` to the last one, the docstring with them."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def is_public(name: str) -> bool:
    """No part of the dotted name begins with an underscore, and it is not nested in a function."""
    return "<locals>" not in name and not any(part.startswith("_") for part in name.split("."))


def undocumented(text: str) -> list[str]:
    """Functions and methods that need a docstring and have none.

    These are the public ones, and those of more than 3 lines with a public name in a private class or in a function.
    """
    return [
        name
        for name, function in functions_of(text)
        if (is_public(name) or (not function.name.startswith("_") and length_of(function) > SHORT_LINES))
        and ast.get_docstring(function) is None
        and not _is_setter(function)
    ]


def _is_setter(function: Function) -> bool:
    """A property's setter, an overload: the docstring belongs to the other one."""
    names = [ast.unparse(decorator).rpartition(".")[2] for decorator in function.decorator_list]
    return any(name in ("setter", "overload") for name in names)
