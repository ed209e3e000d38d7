"""One timer for all connections: visits them when their pause is over, as many as possible in one turn.

A process that wakes up finds the CPU's caches cold: the same bytes cost more in more turns.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from ingest.rtp.frames import SLACK

_log = logging.getLogger(__name__)
TICK_S: Final = 0.025
BUFFER_BYTES: Final = 1 << 20
KEPT_MAX: Final = BUFFER_BYTES + (160 << 10)  # the rest of a turn; a message's head and body; a frame
_TOGETHER: Final = 64  # visits before other tasks of the event loop run: about 20 ms
_SLOTS: Final = 32  # more ticks than the longest pause


class Visited(Protocol):
    def visit(self) -> float | None:
        """Read what is available; return the seconds until the next visit, or None for the last one."""
        ...


class Wheel:
    """Belongs to one event loop. Also holds the buffers that all its connections read into, one after the other.

    view: what was kept, what is received, and slack behind it; sealed: what TLS received, before it is opened
    """

    def __init__(self) -> None:
        self.view = memoryview(bytearray(KEPT_MAX + BUFFER_BYTES + SLACK))
        self.sealed = memoryview(bytearray(BUFFER_BYTES))
        self._slots: list[list[Visited]] = [[] for _ in range(_SLOTS)]
        self._due: list[Visited] = []  # to be visited in this turn, last first
        self._at = 0
        self._next_s = 0.0  # when the slot behind _at is due
        self._timer: asyncio.Handle | None = None  # uvloop returns a handle without when() for a time in the past
        self._due_s = 0.0

    def schedule(self, visited: Visited, pause_s: float) -> None:
        """Visit after about ``pause_s``; each visit returns the pause before the next."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        if self._timer is None:
            self._next_s = now_s + TICK_S
        ahead = min(_SLOTS - 1, max(1, 1 + round((now_s + pause_s - self._next_s) / TICK_S)))
        self._slots[(self._at + ahead) % _SLOTS].append(visited)
        due_s = self._next_s + (ahead - 1) * TICK_S
        if self._timer is None or due_s < self._due_s:
            if self._timer is not None:
                self._timer.cancel()
            self._wake_at(due_s)

    def _slot(self, ahead: int) -> list[Visited]:
        """Return the fullest slot in the second half of the pause: one shorter pause merges two groups."""
        slots, at = self._slots, self._at
        best = slots[(at + ahead) % _SLOTS]
        for earlier in range(ahead - 1, (ahead + 1) // 2 - 1, -1):
            slot = slots[(at + earlier) % _SLOTS]
            if len(slot) > len(best):
                best = slot
        return best

    def _turn(self) -> None:
        """Visit everything that is due, once, however long the process slept."""
        now_s = asyncio.get_running_loop().time()
        due = self._due
        for _ in range(_SLOTS):
            if self._next_s > now_s:
                break
            self._at = (self._at + 1) % _SLOTS
            self._next_s += TICK_S
            due += self._slots[self._at]
            self._slots[self._at].clear()
        else:
            self._next_s = now_s + TICK_S
        due.reverse()
        self._visit_some()

    def _visit_some(self) -> None:
        due = self._due
        for _ in range(min(_TOGETHER, len(due))):
            visited = due.pop()
            try:
                pause_s = visited.visit()
            except Exception:  # noqa: BLE001 (the others' turn comes; this one's watch on silence ends it)
                _log.exception("a visit failed")
                continue
            if pause_s is not None:
                self._slot(min(_SLOTS - 1, max(1, int(pause_s / TICK_S)))).append(visited)
        if due:
            self._timer = asyncio.get_running_loop().call_soon(self._visit_some)
            return
        self._timer = None
        for ahead in range(1, _SLOTS):
            if self._slots[(self._at + ahead) % _SLOTS]:
                self._wake_at(self._next_s + (ahead - 1) * TICK_S)
                break

    def _wake_at(self, due_s: float) -> None:
        self._due_s = due_s
        self._timer = asyncio.get_running_loop().call_at(due_s, self._turn)
