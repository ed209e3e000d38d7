"""SQL lives in files: ``<package>/sql/<name>.sql``. Parameters only, nothing is ever pasted into a statement."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def load(package: str, name: str) -> str:
    """The text of ``<package>/sql/<name>.sql``. FileNotFoundError is a mistake in our own code."""
    return files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
