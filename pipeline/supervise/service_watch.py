"""When an embedded service that runs, but does not do its work, is started again. Pure.

A service that hangs is started again soon. One that answers with errors is given longer, since most errors pass; and it
is left alone while the cause lies outside of it, as with a full disk: there a restart does not help, and PostgreSQL
may not even come up again. One that hangs while the disk is slow or full is given longer, too: its recovery would write
even more. What is latched inside (NATS refuses every write after a disk was full once) goes away with the process.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

SILENT_S: Final = 6.0
SILENT_OUTSIDE_S: Final = 30.0
REFUSING_S: Final = 10.0
FIRST_PAUSE_S: Final = 10.0
LONGEST_PAUSE_S: Final = 900.0
STEADY_S: Final = 600.0


class Outcome(Enum):
    """Of one probe."""

    WELL = "well"
    REFUSED = "refused"  # it answered, but with an error
    SILENT = "silent"  # it did not answer in time


class ServiceWatch:
    """One service. ``note()`` each probe's outcome; start the service again when ``due()``, then say ``restarted()``.

    Times are seconds of a monotonic clock.
    """

    def __init__(self, now_s: float) -> None:
        self._well_s = now_s  # when it last did its work; a start counts
        self._heard_s = now_s  # when it last answered at all
        self._outcome = Outcome.WELL
        self._steady_from_s: float | None = None  # since when no probe has failed
        self._pause_s = 0.0
        self._restarted_s = now_s

    @property
    def failing(self) -> bool:
        """Whether the last probe failed."""
        return self._outcome is not Outcome.WELL

    @property
    def silent(self) -> bool:
        """Whether it did not even answer the last probe."""
        return self._outcome is Outcome.SILENT

    def failing_for_s(self, now_s: float) -> float:
        """Since it last did its work; 0 when it does."""
        return now_s - self._well_s if self.failing else 0.0

    def well_for_s(self, now_s: float) -> float:
        """Since it last did its work, whether or not it has failed since."""
        return now_s - self._well_s

    def note(self, outcome: Outcome, now_s: float) -> None:
        """What the latest probe came to."""
        self._outcome = outcome
        if outcome is not Outcome.SILENT:
            self._heard_s = now_s
        if outcome is not Outcome.WELL:
            self._steady_from_s = None
            return
        self._well_s = now_s
        if self._steady_from_s is None:
            self._steady_from_s = now_s
        elif now_s - self._steady_from_s > STEADY_S:
            self._pause_s = 0.0

    def excuse(self, now_s: float) -> None:
        """The latest probe says nothing: the process that asked stood still. The silence counts anew from now."""
        self._heard_s = now_s

    def due(self, now_s: float, *, outside: bool) -> bool:
        """Whether to start it again now. outside: the machine is what fails: a full disk, a slow one."""
        if not self.failing or now_s - self._restarted_s < self._pause_s:
            return False
        silent_s = now_s - self._heard_s if self.silent else 0.0
        if silent_s >= (SILENT_OUTSIDE_S if outside else SILENT_S):
            return True
        return not outside and now_s - self._well_s >= REFUSING_S  # it may refuse and be silent by turns

    def restarted(self, now_s: float) -> None:
        """It was started again, for whatever reason: it has its time anew, and longer until the next restart."""
        self._steady_from_s = None
        self._heard_s = self._restarted_s = now_s
        self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * self._pause_s))
