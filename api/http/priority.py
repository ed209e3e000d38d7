"""Gives requests that wait for their first byte priority over the rest of answers that are being sent.

A clip is sent many times faster than it is watched: a pause between two pieces goes unnoticed, a late picture does not.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

PATIENCE_S: Final = 0.05
"""The longest pause before a piece, half a second of footage: a clip still arrives faster than it plays."""


class Priority:
    """``arrived()`` and, once, ``begun()`` for each request; ``give_way()`` before each further piece of an answer."""

    def __init__(self) -> None:
        self._waiting = 0
        self._nobody = asyncio.Event()
        self._nobody.set()

    @property
    def waiting(self) -> int:
        """Number of requests whose answer has not begun."""
        return self._waiting

    def arrived(self) -> None:
        """Count a request that waits for its first byte."""
        self._waiting += 1
        self._nobody.clear()

    def begun(self) -> None:
        """Uncount a request: its answer has begun, or it has none."""
        self._waiting -= 1
        if not self._waiting:
            self._nobody.set()

    async def give_way(self) -> None:
        """Wait until no request waits for its first byte, or for ``PATIENCE_S``."""
        if self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._nobody.wait()
