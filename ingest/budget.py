"""What one camera may take of the event loop that all cameras share: measured at every turn, and enforced.

Every parser's work is linear and bounded (``ingest.rtsp.receiver.WORK_MAX``); this finds the one that is not. What goes
over the budget is that camera's loss: its connection ends, the reason shows, and its next attempts are farther apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final

from ingest.errors import StreamError

TURN_NS: Final = 100_000_000
"""CPU time of one turn; what a camera with 8K pictures needs is a tenth of it."""
_ONCE_NS: Final = 5 * TURN_NS
_AGAIN_NS: Final = 60_000_000_000


class TurnTooLongError(StreamError):
    """A camera took the event loop from the others."""


class Budget:
    """``with budget:`` around each turn. TurnTooLongError on leaving it: at once, or when it is over again soon.

    One turn that is a little over may be the interpreter's doing: it collects garbage whenever it likes.
    """

    __slots__ = ("_began_ns", "_cpu_ns", "_mono_ns", "_over_ns")

    def __init__(
        self, cpu_ns: Callable[[], int] = time.thread_time_ns, mono_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """``cpu_ns``: of this thread, so that other processes cost a camera nothing."""
        self._cpu_ns, self._mono_ns = cpu_ns, mono_ns
        self._began_ns = 0
        self._over_ns: int | None = None

    def __enter__(self) -> None:
        self._began_ns = self._cpu_ns()

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        spent_ns = self._cpu_ns() - self._began_ns
        if spent_ns <= TURN_NS or kind is not None:
            return
        now_ns, last_ns = self._mono_ns(), self._over_ns
        self._over_ns = now_ns
        if spent_ns > _ONCE_NS or (last_ns is not None and now_ns - last_ns < _AGAIN_NS):
            raise TurnTooLongError(
                f"what it sends takes {spent_ns // 1_000_000} ms at once to read, which other cameras must wait for.",
                "Update its firmware, or take it out of the configuration.",
            )
