"""Files that the documents name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_NAMED = re.compile(r"(?<![\w/.<*])((?:[\w.-]+/)*[\w-]+\.(?:py|sql|js|css|svg)|(?:[\w-]+/){1,6})(?![\w/*{<])")
_NO_SOURCE = ("run/", "data/", "access/", "probe/")
"""Folders of an installation, the first part of an MQTT topic."""


def missing_files(document: Path, root: Path) -> Iterator[str]:
    """``document:line: name`` for each file or folder that stands neither below the document's folder nor at the root.

    A name without a path may stand anywhere below the document's folder.
    """
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        for match in _NAMED.finditer(line):
            if match[1] not in _NO_SOURCE and not _stands(match[1], document.parent, root):
                yield f"{document.relative_to(root)}:{number}: {match[1]}"


def _stands(name: str, folder: Path, root: Path) -> bool:
    if (root / name).exists() or (folder / name).exists():
        return True
    return "/" not in name.rstrip("/") and folder != root and any(folder.rglob(name.rstrip("/")))
