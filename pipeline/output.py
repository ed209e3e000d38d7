"""What commands and roles write to terminals and logs. Whatever a peer said is cleaned here (``domain.text``).

``say()`` and ``Lines`` write text of ours, which may quote a peer; control sequences of our own are added behind it.
"""

from __future__ import annotations

import logging
import sys
from typing import Final, TextIO

from domain.text import printable

_FORMAT: Final = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"
_TIME: Final = "%Y-%m-%dT%H:%M:%S"  # of UTC, as TZ says it to every role
_ERASE_LINE: Final = "\r\x1b[K"


class CleanFormatter(logging.Formatter):
    """One line a record; those of a traceback are indented, so that no text in them looks like a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (its name in logging)
        """The record's own line."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802
        """Its traceback."""
        return _indented(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """Its stack."""
        return _indented(super().formatStack(stack_info))


def log_to(stream: TextIO, *, level: int = logging.INFO) -> None:
    """Send this process's log there."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(CleanFormatter(_FORMAT, _TIME))
    logging.basicConfig(handlers=[handler], level=level)


def clean_handler() -> logging.Handler:
    """For ``logging.lastResort``: warnings of a command that keeps no log go to standard error."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(CleanFormatter("%(message)s"))
    return handler


def say(text: str = "", *, error: bool = False) -> None:
    """A line of it each to standard output; ``error``: to standard error.

    Text with line ends must be ours: a quoted peer's has to be ``printable()`` before.
    """
    print(*map(printable, text.split("\n")), sep="\n", file=sys.stderr if error else sys.stdout)


def agreed(question: str) -> bool:
    """Whether the person at the terminal types yes."""
    ask(question)
    return sys.stdin.readline().strip().lower() == "yes"


def ask(text: str) -> None:
    """A question, whose answer follows on the same line."""
    print(printable(text), end="", flush=True)


def progress(text: str = "") -> None:
    """Replace the last such line on a terminal; "" removes it. Elsewhere nothing."""
    if sys.stderr.isatty():
        print(f"{_ERASE_LINE}{printable(text)}", end="", file=sys.stderr, flush=True)


def _indented(text: str) -> str:
    return "\n".join(f"    {printable(line)}" for line in text.splitlines())
