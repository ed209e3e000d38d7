"""The terminal's content while everything runs: permanent lines, and below them a live block."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Sequence
from typing import Final, Self, TextIO

from domain.text import printable
from pipeline.supervise.terminal import width

_WAITING_MAX: Final = 1000
_FLUSH_S: Final = 2.0


class Tell:
    """``line()`` for what stays; ``live()`` replaces the block; without a terminal it is printed anew.

    Neither ever waits or fails: a terminal that is held (Ctrl-S), a log collector that stops reading and a full disk
    behind the output cost lines, and nothing else. Leaving the block gives the last lines a moment.
    """

    def __init__(self, out: TextIO | None = None, *, quiet: bool = False) -> None:
        self._out = out or sys.stdout  # None where a program is started without one
        self._terminal = self._out is not None and self._out.isatty()
        self._quiet = quiet or self._out is None
        self._descriptor = _descriptor(self._out)
        self._shown = 0
        self._waiting: queue.Queue[str | None] = queue.Queue(_WAITING_MAX)
        self._writer: threading.Thread | None = None

    @property
    def terminal(self) -> bool:
        """Whether the output is a terminal."""
        return self._terminal

    def line(self, text: str) -> None:
        """One line that stays."""
        self._put(f"{self._cleared()}{printable(text)}\n")
        self._shown = 0

    def live(self, lines: Sequence[str]) -> None:
        """Replace the live block."""
        columns = width()
        cleaned = [printable(text) for text in lines]
        shown = "".join(f"{text[:columns] if self._terminal else text}\n" for text in cleaned)
        self._put(f"{self._cleared()}{shown}")
        self._shown = len(lines) if self._terminal else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            with contextlib.suppress(queue.Full):
                self._waiting.put_nowait(None)
            self._writer.join(_FLUSH_S)

    def _cleared(self) -> str:
        return f"\x1b[{self._shown}A\x1b[J" if self._shown else ""

    def _put(self, text: str) -> None:
        if self._quiet:
            return
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="tell", daemon=True)
            self._writer.start()
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(text)

    def _write(self) -> None:
        while (text := self._waiting.get()) is not None:
            with contextlib.suppress(
                OSError, ValueError
            ):  # the reader is gone, or the disk is full; it may have room again
                self._write_out(text)

    def _write_out(self, text: str) -> None:
        assert self._out is not None
        if self._descriptor is None:
            self._out.write(text)
            return
        # Past Python's buffer, whose lock a write that waits would hold while the interpreter ends.
        left = text.encode(self._out.encoding or "utf-8", "replace")
        while left:
            left = left[os.write(self._descriptor, left) :]


def _descriptor(out: TextIO | None) -> int | None:
    """None for an output that is no file."""
    try:
        return None if out is None else out.fileno()
    except (OSError, ValueError):  # io.UnsupportedOperation is both
        return None
