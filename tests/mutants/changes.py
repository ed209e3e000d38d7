"""The faults: each changes one place in the body of one function. Pure.

Left alone: docstrings, annotations, what is logged, and the words of an error; nobody would miss a test for them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

Swap = Callable[[], None]

_COMPARE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_BINARY: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """The ``number``-th fault of a module. ``function``: its qualified name."""

    module: str  # its path
    number: int
    function: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.function}: {self.what}"

    @property
    def key(self) -> str:
        """Without the line, so that a listed survivor stays listed when lines move."""
        return f"{self.module} {self.function}: {self.what}"


def mutants_of(module: str, source: str) -> list[Mutant]:
    """Every fault that can be put into the module, in the order of its text."""
    return [
        Mutant(module=module, number=number, function=function, line=line, what=what)
        for number, (function, line, what, _) in enumerate(_places(ast.parse(source)))
    ]


def mutated(source: str, mutant: Mutant, filename: str) -> CodeType:
    """The module's code with this fault in it."""
    tree = ast.parse(source)
    for number, (_, _, _, swap) in enumerate(_places(tree)):
        if number == mutant.number:
            swap()
            break
    return compile(ast.fix_missing_locations(tree), filename, "exec")


def function_code(code: CodeType, function: str, line: int) -> CodeType | None:
    """The code object of the function of this name that holds ``line``."""
    for item in code.co_consts:
        if isinstance(item, CodeType):
            lines = [number for _, _, number in item.co_lines() if number is not None]
            if item.co_qualname == function and lines and item.co_firstlineno <= line:
                return item
            if (found := function_code(item, function, line)) is not None:
                return found
    return None


Place = tuple[str, int, str, Swap]


def _places(tree: ast.Module) -> Iterator[Place]:
    yield from _in_scope(tree.body, "")


def _in_scope(body: list[ast.stmt], prefix: str) -> Iterator[Place]:
    """Functions of a module or class; what is nested in one counts as the outer one's."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _in_scope(statement.body, f"{prefix}{statement.name}.")
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            name = prefix + statement.name
            for line, what, swap in _in_block(statement, "body"):
                yield name, line, what, swap


def _in_block(owner: Any, field: str) -> Iterator[tuple[int, str, Swap]]:
    block: list[ast.stmt] = getattr(owner, field)
    for index, statement in enumerate(block):
        if _is_docstring(statement) or _is_logging(statement):
            continue
        yield from _dropped(block, index, statement)
        yield from _in_node(statement)


def _dropped(block: list[ast.stmt], index: int, statement: ast.stmt) -> Iterator[tuple[int, str, Swap]]:
    dropped = isinstance(statement, ast.Raise | ast.AugAssign) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call | ast.Await)
    )
    if dropped:
        yield statement.lineno, f"without `{_text(statement)}`", lambda: block.__setitem__(index, ast.Pass())
    if isinstance(statement, ast.Return) and statement.value is not None and not _is_nothing(statement.value):
        yield statement.lineno, f"return None for `{_text(statement)}`", _setter(statement, "value", ast.Constant(None))


def _in_node(node: ast.AST) -> Iterator[tuple[int, str, Swap]]:
    if isinstance(node, ast.Raise):
        return  # its words
    yield from _changes(node)
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_comment"):
            continue
        if isinstance(node, ast.Subscript) and isinstance(value, ast.Tuple):
            continue  # dict[str, str]: a type
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield from _in_block(node, field)
        else:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _in_node(child)


def _changes(node: ast.AST) -> Iterator[tuple[int, str, Swap]]:
    """The faults at this very node."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            other = _COMPARE[type(operator)]()
            yield node.lineno, f"{other.__class__.__name__} in `{_text(node)}`", _item(node.ops, index, other)
    elif isinstance(node, ast.BoolOp):
        flipped = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield node.lineno, f"{flipped.__class__.__name__} in `{_text(node)}`", _setter(node, "op", flipped)
        for index, value in enumerate(node.values):
            without = _item(node.values, index, ast.Constant(isinstance(node.op, ast.And)))
            yield node.lineno, f"without `{_text(value)}` in `{_text(node)}`", without
    elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        operator_ = _BINARY[type(node.op)]()
        yield node.lineno, f"{operator_.__class__.__name__} in `{_text(node)}`", _setter(node, "op", operator_)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        if not isinstance(node, ast.While):
            yield node.lineno, f"not `{_text(node.test)}`", _setter(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        for index, value in enumerate(node.elts):
            yield node.lineno, f"without `{_text(value)}` in `{_text(node)}`", _drop(node.elts, index)


def _constant(node: ast.Constant) -> Iterator[tuple[int, str, Swap]]:
    value = node.value
    if isinstance(value, bool):
        yield node.lineno, f"{not value} for {value}", _setter(node, "value", not value)
    elif isinstance(value, int):
        yield node.lineno, f"{value + 1} for {value}", _setter(node, "value", value + 1)
    elif isinstance(value, bytes) and value:
        yield node.lineno, f"another label for {value!r}", _setter(node, "value", value + b"x")


def _setter(node: ast.AST, field: str, value: Any) -> Swap:
    return lambda: setattr(node, field, value)


def _item(items: list[Any], index: int, value: Any) -> Swap:
    return lambda: items.__setitem__(index, value)


def _drop(items: list[Any], index: int) -> Swap:
    return lambda: items.__delitem__(index)


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_logging(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and ast.unparse(statement).startswith("_log.")


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 70 else f"{text[:67]}..."
