"""What the terminal shows while everything runs: lines that stay, and below them a live block."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from pipeline.supervise.terminal import width


class Tell:
    """``line()`` for what stays; ``live()`` replaces the block; without a terminal it is printed anew."""

    def __init__(self, out: TextIO | None = None, *, quiet: bool = False) -> None:
        self._out = out or sys.stdout
        self._terminal = self._out.isatty()
        self._quiet = quiet
        self._shown = 0

    @property
    def terminal(self) -> bool:
        return self._terminal

    def line(self, text: str) -> None:
        """One line that stays."""
        if self._quiet:
            return
        self._clear()
        print(text, file=self._out, flush=True)

    def live(self, lines: Sequence[str]) -> None:
        """Replace the live block."""
        if self._quiet:
            return
        self._clear()
        columns = width()
        for text in lines:
            print(text[:columns] if self._terminal else text, file=self._out)
        self._out.flush()
        self._shown = len(lines) if self._terminal else 0

    def _clear(self) -> None:
        if self._shown:
            self._out.write(f"\x1b[{self._shown}A\x1b[J")
            self._shown = 0
