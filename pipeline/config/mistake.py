"""What the checks of the configuration find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """``path``: where it stands, as keys and places in lists."""

    path: tuple[str | int, ...]
    what: str
    remedy: str
