"""A role is started ahead and held: it loads its modules, most of a start's work, while the services start.

`tallenne up` holds one end of a pipe, the role's standard input is the other: a line lets it go on, an end ends it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Final

from pipeline.exit_codes import RETRY

VARIABLE: Final = "TALLENNE_HELD"
_GO: Final = b"go\n"


def hold() -> None:
    """In the role's process, once it is loaded. SystemExit when `tallenne up` is gone. Nothing where it is not held."""
    if os.environ.pop(VARIABLE, "") and os.read(sys.stdin.fileno(), len(_GO)) != _GO:
        sys.exit(RETRY)


class Held:
    """The other end, for one process."""

    def __init__(self) -> None:
        self._theirs, self._go = os.pipe()

    @contextlib.contextmanager
    def theirs(self) -> Iterator[int]:
        """The descriptor for the process's standard input, while the process is started."""
        try:
            yield self._theirs
        finally:
            os.close(self._theirs)

    def let_go(self) -> None:
        """The role goes on; nothing when it has ended."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._go, _GO)

    def close(self) -> None:
        """The role ends, unless it was let go."""
        os.close(self._go)
