"""Inits that were read from segments which opened and whose trailers held: the same for months, whatever the span."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from domain.ids import CameraId

KEPT: Final = 512


class Inits:
    """By camera and hash. No pictures are in an init; it is only used for looks that are on record."""

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
