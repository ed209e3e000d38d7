"""Words that this project does not use, each with the one that it does. Extend both lists as a word goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from tests.house.tree import Tree

NAMES: Final[Mapping[str, str]] = {
    "early": "prefetch",
    "facts": "metadata",
    "glance": "summary",
    "marks": "positions",
    "own_key": "secret_key",
    "places": "connection_limit",
    "precedence": "priority",
    "shelf": "cache",
}
"""Not the name of a module or a folder."""

TEXT: Final[Mapping[str, str]] = {
    "glance": "summary",
    "own_key": "secret_key",
    "shelves": "caches",
    "whoever": "the one who does it (the reader, the caller, an attacker)",
    "whomever": "the one to whom it is done",
}
"""In no text of the source or its documents, a comment included; whole words, large letters or small."""


def banned_names(tree: Tree) -> Iterator[str]:
    """``path: use ...`` for each path with a part of that name."""
    for path in tree:
        for part in PurePosixPath(path).with_suffix("").parts:
            if part in NAMES:
                yield f"{path}: {NAMES[part]}, not {part}"


def banned_text(tree: Tree) -> Iterator[str]:
    """``path:line: use ...`` for each occurrence."""
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, TEXT))})\b", re.IGNORECASE)
    for path, text in tree.items():
        for number, line in enumerate(text.splitlines(), 1):
            for match in pattern.finditer(line):
                yield f"{path}:{number}: {TEXT[match[1].lower()]}, not {match[1]}"
