"""Keeps a recorder's hour keys fresh: reads them from the catalogue and caches them on disk for times without it.

An installation has keys for two weeks of every camera: what is read each time is what was made since.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from domain.errors import StorageError
from domain.ids import CameraId
from domain.time import HOUR_NS, hour_of
from runtime.pause import pause
from runtime.problems import Problems
from storage.catalogue import Catalogue
from storage.keys import HourKeyCache
from storage.keys.cache import PublishedKey

TOPIC = "hour keys"
_EVERY_S = 30.0
_UNTIL_KNOWN_S = 0.5
_TOGETHER: Final = 8
_LATE_SERIALS: Final = 600_000_000
"""Serials are microseconds (custodian/keys/sql): those of ten minutes, since a lower one may be committed later."""


class KeyKeeper:
    """Refreshes the cache: by ``run()`` until cancelled, by ``refresh()`` once, by ``look()`` when cameras changed."""

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
        self._hour_ns = 0
        self._read: set[CameraId] = set()  # cameras whose keys were all read in this hour
        self._serial = -1  # the highest that was read
        self._until_ns: int | None = None  # where the first camera lacks a key; None: there are no cameras

    def look(self) -> None:
        """Make ``run()`` look for keys now instead of after its pause: a camera is new."""
        self._changed.set()

    async def refresh(self) -> None:
        """Read the keys published since the last time. Database errors; OSError: the file cannot be written.

        All keys from this hour on are read for a new camera, for one that lacks the next hour's key, and for all
        cameras once an hour: a change of a key's state, without a new key, shows then.
        """
        now_ns, cameras = self._clock_ns(), list(self._cameras())
        if self._hour_ns != (hour := hour_of(now_ns)):
            self._hour_ns, self._read = hour, set()
            self._cache.forget_before(now_ns - HOUR_NS)
        wanting = [one for one in cameras if one not in self._read or self._cache.ahead_ns(one, now_ns) <= HOUR_NS]
        # A few cameras at a time: the rows of all at once took more memory than their keys do afterwards.
        for at in range(0, len(wanting), _TOGETHER):
            self._offer(await self._catalogue.published_hour_keys(wanting[at : at + _TOGETHER], hour))
        if len(wanting) < len(cameras):
            self._offer(await self._catalogue.published_hour_keys(cameras, hour, self._serial - _LATE_SERIALS))
        self._read = set(cameras)
        self._cache.save()

    def _offer(self, rows: Sequence[PublishedKey]) -> None:
        self._cache.offer(rows)
        self._serial = max([self._serial, *(row.serial for row in rows)])

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
            await self._look_ahead()
            supplied = self._until_ns is None or self._until_ns - self._clock_ns() > HOUR_NS
            await pause(self._changed, _EVERY_S if supplied else _UNTIL_KNOWN_S)

    async def _look_ahead(self) -> None:
        now_ns = self._clock_ns()
        until_ns = []
        for camera in list(self._cameras()):
            until_ns.append(now_ns + self._cache.ahead_ns(camera, now_ns))
            await asyncio.sleep(0)  # at the first look a camera's signatures take some 30 ms
        self._until_ns = min(until_ns, default=None)

    def least_ahead_ns(self) -> int:
        """Nanoseconds for which every camera can be recorded without database and custodian."""
        return 0 if self._until_ns is None else max(0, self._until_ns - self._clock_ns())
