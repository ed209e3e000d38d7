"""Keeps a second bucket equal to the first: sealed footage, journal and signed heads, by names.

Objects are never changed, so that a name that both hold is the same object; its size is compared. What the first bucket
no longer holds goes from the second only when its camera's retention, or a record's time, is over: who empties the
first does not thereby empty the second.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final

from domain.ids import CameraId
from domain.time import DAY_NS, HOUR_NS
from runtime.failpoints import hit
from storage.journal import JOURNAL_PREFIX, parse_record_name
from storage.sealed import OBJECT_PREFIX, parse_object_name
from storage.store import ObjectInfo, ObjectStore
from storage.store.errors import ObjectMissingError

PREFIXES: Final = (OBJECT_PREFIX, "heads/", JOURNAL_PREFIX)
_LATE_NS: Final = 2 * HOUR_NS  # expiry takes an hour at most


class Replica:
    """``run_once()`` compares the buckets. Counters are of the last round that ended."""

    def __init__(
        self,
        source: ObjectStore,
        target: ObjectStore,
        retention_ns: Mapping[CameraId, int],
        *,
        clock_ns: Callable[[], int],
    ) -> None:
        """``target``: of a user that may delete. Footage of cameras not in ``retention_ns`` stays there."""
        self._source, self._target, self._retention_ns = source, target, retention_ns
        self._clock_ns = clock_ns
        self._last_ns = self._objects = self._copied = self._removed = 0

    def report(self) -> dict[str, Any]:
        """For the status file. ``last_ns``: every object stored before is in both; 0: no round has ended yet."""
        return {
            "last_ns": self._last_ns,
            "objects": self._objects,
            "copied": self._copied,
            "removed": self._removed,
        }

    async def run_once(self) -> None:
        """Copy what is missing, remove what is over. The store's errors; again after a crash."""
        began_ns, objects, copied, removed = self._clock_ns(), 0, 0, 0
        await self._target.ensure_bucket()
        for prefix in PREFIXES:
            async for here, there in _merged(self._source, self._target, prefix):
                if here is None and there is not None:
                    if self._is_over(there.name):
                        await self._target.delete(there.name)
                        removed += 1
                elif here is not None:
                    objects += 1
                    if there is None or there.size_bytes != here.size_bytes:
                        copied += await self._copy(here)
        self._last_ns, self._objects, self._copied, self._removed = began_ns, objects, copied, removed

    def _is_over(self, name: str) -> bool:
        record = parse_record_name(name)
        if record is not None and record.kind.kept_days is not None:
            return record.hour_ns + record.kind.kept_days * DAY_NS + _LATE_NS < self._clock_ns()
        parsed = parse_object_name(name)
        if parsed is None or parsed.camera_id not in self._retention_ns:
            return False
        return parsed.start_ns + self._retention_ns[parsed.camera_id] + _LATE_NS < self._clock_ns()

    async def _copy(self, info: ObjectInfo) -> bool:
        try:
            data = await self._source.get_range(info.name, 0, info.size_bytes)
        except ObjectMissingError:
            return False  # it expired since it was listed
        await self._target.put_new(info.name, data, size_bytes=len(data), sha256=hashlib.sha256(data).digest())
        hit("replica.copied")
        return True


async def _merged(
    source: ObjectStore, target: ObjectStore, prefix: str
) -> AsyncIterator[tuple[ObjectInfo | None, ObjectInfo | None]]:
    """Both lists side by side, in the order of names. Memory does not grow with them."""
    async with aclosing(source.list(prefix)) as here, aclosing(target.list(prefix)) as there:
        left, right = await anext(here, None), await anext(there, None)
        while left is not None or right is not None:
            if right is None or (left is not None and left.name < right.name):
                yield left, None
                left = await anext(here, None)
            elif left is None or right.name < left.name:
                yield None, right
                right = await anext(there, None)
            else:
                yield left, right
                left, right = await anext(here, None), await anext(there, None)
