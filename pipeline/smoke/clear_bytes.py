"""Searches every written byte for footage in the clear."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_PIECE = 4 << 20


def files_holding(needle: bytes, roots: Iterable[Path]) -> tuple[list[Path], int]:
    """(files that hold ``needle``, bytes searched) under ``roots``; sockets and vanished files are skipped."""
    found: list[Path] = []
    searched = 0
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder) / name
                if not path.is_file() or path.is_symlink():
                    continue
                try:
                    held, size = _holds(path, needle)
                except FileNotFoundError:
                    continue
                searched += size
                if held:
                    found.append(path)
    return found, searched


def _holds(path: Path, needle: bytes) -> tuple[bool, int]:
    size = 0
    rest = b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            size += len(piece)
            if needle in rest + piece:
                return True, size
            rest = piece[-len(needle) :]
    return False, size
