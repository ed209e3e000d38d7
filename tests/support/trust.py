"""The tests that docs/TRUST.md names."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "TRUST.md"
_NAMED: Final = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@cache
def named() -> dict[str, frozenset[str]]:
    """By file; no names: all of it."""
    found: dict[str, set[str]] = {}
    for path, name in _NAMED.findall(PAGE.read_text(encoding="utf-8")):
        found.setdefault(path, set()).update({name} - {""})
    return {path: frozenset(names) for path, names in found.items()}


def is_named(node: str) -> bool:
    """Whether the page names a test by its pytest id."""
    path, _, name = node.partition("::")
    names = named().get(path)
    return names is not None and (not names or name.partition("[")[0] in names)
