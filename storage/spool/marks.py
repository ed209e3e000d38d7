"""A camera's mark: its last trailer, and how far in time it is accounted for, by footage or by a gap."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from domain.ids import CameraId
from storage.spool.files import replace_file
from storage.spool.records import packed, unpacked

ZERO_HASH = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    trailer_sha256: bytes = ZERO_HASH  # of the camera's last segment here; zeros before the first
    end_ns: int | None = None  # accounted for until then; None: never recorded here
    orderly: bool = False  # the recorder was stopped in good order after that


class Marks:
    """One small file per camera, replaced whole."""

    def __init__(self, folder: Path, *, sync: bool) -> None:
        self._folder = folder
        self._sync = sync

    def load(self, camera_id: CameraId) -> Mark:
        """An empty mark when there is none, or a damaged one: the chain of trailers then begins anew."""
        try:
            data = self._path(camera_id).read_bytes()
        except FileNotFoundError:
            return Mark()
        for payload, _ in unpacked(data):
            body = json.loads(payload)
            return Mark(
                trailer_sha256=bytes.fromhex(body["trailer_sha256"]), end_ns=body["end_ns"], orderly=body["orderly"]
            )
        return Mark()

    def save(self, camera_id: CameraId, mark: Mark) -> None:
        """OSError when it cannot be written."""
        body = {"trailer_sha256": mark.trailer_sha256.hex(), "end_ns": mark.end_ns, "orderly": mark.orderly}
        replace_file(self._path(camera_id), packed(json.dumps(body).encode()), sync=self._sync)

    def _path(self, camera_id: CameraId) -> Path:
        return self._folder / f"{camera_id}.mark"
