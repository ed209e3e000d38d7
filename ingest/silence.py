"""When a camera that is connected has sent nothing to record for too long: told from us having been held up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

_LOOK_S: Final = 1.0
_LATE_S: Final = 1.0  # a look that comes so much late: the process stood still, and heard nobody


class Silence:
    """Looks once a second, within ``with``. Ends ``timeout``, by expiring, when nothing was heard for ``longest_s``.

    passed_over: a counter of pictures that came but cannot be recorded yet: as long as it goes up, ``waiting_s`` counts
    """

    def __init__(
        self,
        timeout: asyncio.Timeout,
        passed_over: Callable[[], int],
        *,
        connecting_s: float,
        longest_s: float,
        waiting_s: float,
    ) -> None:
        """``connecting_s``: more for the first."""
        self._loop = asyncio.get_running_loop()
        self._timeout, self._passed_over = timeout, passed_over
        self._longest_s, self._waiting_s = longest_s, waiting_s
        self._step_s = min(_LOOK_S, longest_s / 4)
        self._heard_s = self._seen_s = self._loop.time() + connecting_s
        self._passed = 0
        self._due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.without_key = False  # pictures came all the time, but none to begin with

    def __enter__(self) -> Silence:
        self._schedule()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def heard(self) -> None:
        """Something was recorded."""
        self._heard_s = self._seen_s = self._loop.time()

    def _schedule(self) -> None:
        self._due_s = self._loop.time() + self._step_s
        self._timer = self._loop.call_at(self._due_s, self._look)

    def _look(self) -> None:
        now_s = self._loop.time()
        late_s = now_s - self._due_s
        if late_s > _LATE_S:
            self._heard_s += late_s
            self._seen_s += late_s
        passed = self._passed_over()
        if passed != self._passed:
            self._passed, self._seen_s = passed, now_s
        comes = now_s - self._seen_s <= self._longest_s
        if now_s - self._heard_s <= (self._waiting_s if comes else self._longest_s):
            self._schedule()
        else:
            self.without_key = comes
            self._timeout.reschedule(now_s)
