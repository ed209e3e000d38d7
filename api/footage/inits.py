"""Keeps inits of segments that opened and whose trailers verified. They stay the same for months."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from domain.ids import CameraId

KEPT: Final = 512


class Inits:
    """Inits by camera and hash. An init contains no pictures; it is used only for looks that are on record."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[CameraId, bytes], bytes] = OrderedDict()

    def get(self, camera_id: CameraId, sha256: bytes | None) -> bytes | None:
        """Return a camera's init with this hash, or None."""
        return None if sha256 is None else self._kept.get((camera_id, sha256))

    def put(self, camera_id: CameraId, sha256: bytes, init: bytes) -> None:
        """``init`` must have this hash."""
        self._kept[camera_id, sha256] = init
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
