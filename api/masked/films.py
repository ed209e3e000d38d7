"""Masked films of exports, in memory alone: for an hour, a bounded number of bytes, gone with the role.

An unmasked export is opened anew for each download. Masking takes a minute or more, so that its result is kept; on a
disk it would be footage in the clear.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from api.errors import MaskedTooLargeError
from domain.ids import CameraId
from domain.time import HOUR_NS

KEPT_NS: Final = HOUR_NS
KEPT_MAX_BYTES: Final = 384 << 20
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A masked MP4, read as a clip is (api/footage/reader.py). source_bytes: the size of the clip it was made from."""

    data: bytes
    source_bytes: int
    mime: str = "video/mp4"

    @property
    def size_bytes(self) -> int:
        """Of the masked MP4."""
        return len(self.data)

    @property
    def sha256(self) -> bytes:
        """Of the masked MP4."""
        return hashlib.sha256(self.data).digest()

    async def stream(self) -> AsyncIterator[bytes | memoryview]:
        """The whole of it."""
        for start in range(0, len(self.data), _PIECE):
            yield memoryview(self.data)[start : start + _PIECE]


class Films:
    """By export, attempt and camera. The oldest make room for a new one."""

    def __init__(self, clock_ns: Callable[[], int], most_bytes: int = KEPT_MAX_BYTES) -> None:
        self._clock_ns, self._most = clock_ns, most_bytes
        self._kept: OrderedDict[tuple[UUID, int, CameraId], tuple[int, Film]] = OrderedDict()

    def add(self, export_id: UUID, attempt: int, camera_id: CameraId, film: Film) -> None:
        """Keep one. MaskedTooLargeError: it would have no room beside those of its own export."""
        self.expire()
        ours = sum(
            f.size_bytes for (each, which, _), (_, f) in self._kept.items() if (each, which) == (export_id, attempt)
        )
        if ours + film.size_bytes > self._most:
            raise MaskedTooLargeError("The masked copy is too large to be kept.", "Ask for a shorter span.")
        while sum(kept.size_bytes for _, kept in self._kept.values()) + film.size_bytes > self._most:
            del self._kept[next(key for key in self._kept if key[:2] != (export_id, attempt))]
        self._kept[export_id, attempt, camera_id] = self._clock_ns(), film

    def find(self, export_id: UUID, attempt: int, camera_id: CameraId) -> Film | None:
        """None: it is not kept any more."""
        self.expire()
        found = self._kept.get((export_id, attempt, camera_id))
        return None if found is None else found[1]

    def expire(self) -> None:
        """Forget those that were kept for long enough."""
        old = [key for key, (since_ns, _) in self._kept.items() if self._clock_ns() - since_ns >= KEPT_NS]
        for key in old:
            del self._kept[key]

    def clear(self) -> None:
        """At the end of the role."""
        self._kept.clear()
