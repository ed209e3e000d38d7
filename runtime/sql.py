"""SQL lives in files: ``<package>/sql/<subject>.sql``, each query after a line ``-- name: <query>``.

Parameters only; nothing is ever pasted into a statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

_NAME: Final = re.compile(r"^-- name: (\w+)$\n", re.MULTILINE)


def load(package: str, name: str) -> str:
    """The text of the query ``name`` of ``package``. LookupError is a mistake in our own code."""
    return queries(package)[name]


@cache
def queries(package: str) -> Mapping[str, str]:
    """All queries of ``package`` by name. ValueError: a file begins without a name, or a name comes twice."""
    found: dict[str, str] = {}
    for file in sorted(files(package).joinpath("sql").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".sql"):
            for name, text in named(file.read_text(encoding="utf-8")):
                if name in found:
                    raise ValueError(f"{package}: the query {name} comes twice")
                found[name] = text
    return found


def named(text: str) -> Iterator[tuple[str, str]]:
    """(name, statement) of each query in a file's text. ValueError when something stands before the first name."""
    before, *parts = _NAME.split(text)
    if before.strip():
        raise ValueError(f"SQL without a name: {before.strip().splitlines()[0]}")
    yield from zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True)
