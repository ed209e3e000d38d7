"""Numbers from a command line, within bounds."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import TypeVar


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """An argparse type: a whole number of ``least`` at least, ``most`` at most."""

    def read(text: str) -> int:
        """Parse and bound it; argparse.ArgumentTypeError otherwise."""
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        return _within(number, least, most)

    return read


def number(least: float) -> Callable[[str], float]:
    """An argparse type: a finite number of ``least`` at least."""

    def read(text: str) -> float:
        """Parse and bound it; argparse.ArgumentTypeError otherwise."""
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise argparse.ArgumentTypeError(f"{text!r} is not a number")
        return _within(found, least, None)

    return read


N = TypeVar("N", int, float)


def _within(found: N, least: N, most: N | None) -> N:
    if found < least or (most is not None and found > most):
        raise argparse.ArgumentTypeError(
            f"{found} is too {'small' if found < least else 'large'}: " + _said(least, most)
        )
    return found


def _said(least: float, most: float | None) -> str:
    return f"{least} at least" if most is None else f"{least} to {most}"
