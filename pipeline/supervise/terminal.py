"""Helpers for terminals."""

from __future__ import annotations

import shutil


def width() -> int:
    """Columns; 100 without a terminal."""
    return shutil.get_terminal_size((100, 24)).columns - 1


def bits(per_second: float) -> str:
    """A bit rate for people."""
    for unit in ("bit/s", "kbit/s", "Mbit/s"):
        if per_second < 1000 or unit == "Mbit/s":
            return f"{per_second:.1f} {unit}" if unit == "Mbit/s" else f"{per_second:.0f} {unit}"
        per_second /= 1000
    return ""


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return ""
