"""One timer for all connections: visits them when their pause is over, many in one turn of the loop."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from ingest.rtp.track import SLACK

_log = logging.getLogger(__name__)
TICK_S: Final = 0.025
BUFFER_BYTES: Final = 1 << 20
KEPT_MAX: Final = 160 << 10  # a message's head and body, or a frame
_TOGETHER: Final = 32  # visits in one turn: a few milliseconds
_SLOTS: Final = 32  # more ticks than the longest pause has


class Visited(Protocol):
    def visit(self) -> float | None:
        """Read what there is; seconds until the next visit, or None for no more."""
        ...


class Wheel:
    """Belongs to one event loop. Also holds the buffers that all its connections read into, one after the other.

    view: what was kept, what is received, and slack behind it; sealed: what TLS received, before it is opened
    """

    def __init__(self) -> None:
        self.view = memoryview(bytearray(KEPT_MAX + BUFFER_BYTES + SLACK))
        self.sealed = memoryview(bytearray(BUFFER_BYTES))
        self._slots: list[list[Visited]] = [[] for _ in range(_SLOTS)]
        self._at = 0
        self._next_s = 0.0  # when the slot behind _at is due
        self._timer: asyncio.Handle | None = None  # uvloop gives one without when() for a time that is past
        self._due_s = 0.0

    def schedule(self, visited: Visited, pause_s: float) -> None:
        """Visit it once, after about ``pause_s``; later visits are as it says itself."""
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

    def _slot(self, ahead: int) -> int:
        """One that is due anyway, if it is not much earlier: waking up costs as much as reading a camera."""
        for earlier in range(ahead, max(0, ahead - 1 - ahead // 4), -1):
            slot = (self._at + earlier) % _SLOTS
            if 0 < len(self._slots[slot]) < _TOGETHER:
                return slot
        return (self._at + max(1, ahead)) % _SLOTS

    def _turn(self) -> None:
        """Once over what is due, however long we slept."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        due: list[Visited] = []
        for _ in range(_SLOTS):
            if self._next_s > now_s:
                break
            self._at = (self._at + 1) % _SLOTS
            self._next_s += TICK_S
            due += self._slots[self._at]
            self._slots[self._at].clear()
        else:
            self._next_s = now_s + TICK_S
        for visited in due:
            try:
                pause_s = visited.visit()
            except Exception:  # noqa: BLE001 (the others' turn comes; this one's watch on silence ends it)
                _log.exception("a visit failed")
                continue
            if pause_s is not None:
                self._slots[self._slot(min(_SLOTS - 1, int(pause_s / TICK_S)))].append(visited)
        self._timer = None
        for ahead in range(1, _SLOTS):
            if self._slots[(self._at + ahead) % _SLOTS]:
                self._wake_at(self._next_s + (ahead - 1) * TICK_S)
                break

    def _wake_at(self, due_s: float) -> None:
        self._due_s = due_s
        self._timer = asyncio.get_running_loop().call_at(due_s, self._turn)
