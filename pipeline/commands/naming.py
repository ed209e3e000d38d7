"""Finds what the command line names: by its own name, or by SITE/NAME if several share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from domain.errors import TallenneError

_T = TypeVar("_T")


def one_named(
    kind: str,
    name: str,
    items: Iterable[_T],
    names: Callable[[_T], tuple[str, str]],
    error: type[TallenneError],
) -> _T:
    """Return the item of that name. ``names``: an item's site and own name. Raises ``error`` with the choices."""
    wanted, there = name.casefold(), list(items)
    found = [item for item in there if wanted in (names(item)[1].casefold(), "/".join(names(item)).casefold())]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(sorted("/".join(names(item)) for item in (found or there)))
    if found:
        raise error(f"There are several {kind}s {name!r}.", f"Name one of: {listed}.")
    raise error(f"There is no {kind} {name!r}.", f"There are: {listed}." if listed else "There is none.")
