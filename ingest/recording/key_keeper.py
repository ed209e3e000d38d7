"""Keeps a recorder's hour keys fresh: read from the catalogue, kept on disk, so that it goes on when cut off."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from domain.errors import StorageError
from domain.ids import CameraId
from domain.time import HOUR_NS, hour_of
from runtime.pause import pause
from runtime.problems import Problems
from storage.catalogue import Catalogue
from storage.keys import HourKeyCache

TOPIC = "hour keys"
_EVERY_S = 30.0
_UNTIL_KNOWN_S = 0.5


class KeyKeeper:
    """``run()`` refreshes the cache until it is cancelled; ``refresh()`` once; ``look()``: the cameras have changed."""

    def __init__(
        self,
        cache: HourKeyCache,
        catalogue: Catalogue,
        problems: Problems,
        cameras: Callable[[], Sequence[CameraId]],
        *,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._cache, self._catalogue, self._problems, self._cameras = cache, catalogue, problems, cameras
        self._clock_ns = clock_ns
        self._changed = asyncio.Event()

    def look(self) -> None:
        """A camera is new: ``run()`` looks for its keys now, not after its pause."""
        self._changed.set()

    async def refresh(self) -> None:
        """Read what is published from this hour on. DatabaseError and its kin; OSError when the file refuses."""
        now_ns = self._clock_ns()
        rows = await self._catalogue.published_hour_keys(list(self._cameras()), hour_of(now_ns))
        self._cache.offer(rows)
        self._cache.forget_before(now_ns - HOUR_NS)
        self._cache.save()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._changed.clear()
            try:
                await self.refresh()
            except (StorageError, OSError) as error:
                self._problems.note(TOPIC, error)
            else:
                self._problems.clear(TOPIC)
            await pause(self._changed, _EVERY_S if self._supplied() else _UNTIL_KNOWN_S)

    def _supplied(self) -> bool:
        now_ns = self._clock_ns()
        return all(self._cache.ahead_ns(camera, now_ns) > HOUR_NS for camera in self._cameras())

    def least_ahead_ns(self) -> int:
        """How long the camera with the fewest keys can be recorded without database and custodian."""
        now_ns = self._clock_ns()
        with contextlib.suppress(ValueError):
            return min(self._cache.ahead_ns(camera, now_ns) for camera in self._cameras())
        return 0
