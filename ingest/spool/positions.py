"""A camera's position: its last trailer, and the end of the time for which footage or gaps account.

Two slots in a small file, written in turn and in place: a torn write leaves the other slot intact, and a position can
be written to a full disk once its file exists.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from domain.ids import CameraId
from ingest.spool.records import packed, unpacked
from runtime.failpoints import hit
from runtime.private_files import sync_directory

ZERO_HASH = bytes(32)
_SLOT_BYTES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPosition:
    """A camera's last trailer, and the end of its accounted time."""

    trailer_sha256: bytes = ZERO_HASH  # of the camera's last segment on this recorder; zeros before the first
    end_ns: int | None = None  # end of the accounted time; None: never recorded here
    orderly: bool = False  # the recorder was stopped in an orderly way afterwards
    epoch: int = 0  # increases when time starts anew; of footage of the same time the highest epoch is shown


class CameraPositions:
    """One small file per camera."""

    def __init__(self, folder: Path, *, sync: bool) -> None:
        self._folder = folder
        self._sync = sync
        self._numbers: dict[CameraId, int] = {}  # of the positions that were written here

    def load(self, camera_id: CameraId) -> CameraPosition:
        """Read the position; an empty one if it is missing or damaged: the chain of trailers then starts anew.

        OSError.
        """
        return self._newest(camera_id)[1]

    def save(self, camera_id: CameraId, position: CameraPosition) -> None:
        """Write the position. OSError."""
        known = self._numbers.get(camera_id)
        number = (self._newest(camera_id)[0] if known is None else known) + 1
        body = {
            "number": number,
            "trailer_sha256": position.trailer_sha256.hex(),
            "end_ns": position.end_ns,
            "orderly": position.orderly,
            "epoch": position.epoch,
        }
        slot = packed(json.dumps(body).encode()).ljust(_SLOT_BYTES, b"\0")
        path = self._path(camera_id)
        new = known is None and not path.exists()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if new:
                os.pwrite(descriptor, bytes(2 * _SLOT_BYTES), 0)
            hit("spool.position")
            if os.pwrite(descriptor, slot, number % 2 * _SLOT_BYTES) != _SLOT_BYTES:
                raise OSError(5, "a position was only partly written")
            if self._sync:
                os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if new and self._sync:
            sync_directory(self._folder)
        self._numbers[camera_id] = number

    def _newest(self, camera_id: CameraId) -> tuple[int, CameraPosition]:
        try:
            data = self._path(camera_id).read_bytes()
        except FileNotFoundError:
            data = b""
        found = [_parsed(payload) for at in (0, _SLOT_BYTES) for payload, _ in unpacked(data[at : at + _SLOT_BYTES])]
        return max(found, key=lambda item: item[0], default=(0, CameraPosition()))

    def _path(self, camera_id: CameraId) -> Path:
        return self._folder / f"{camera_id}.position"


def _parsed(payload: bytes) -> tuple[int, CameraPosition]:
    body = json.loads(payload)
    position = CameraPosition(
        trailer_sha256=bytes.fromhex(body["trailer_sha256"]),
        end_ns=body["end_ns"],
        orderly=body["orderly"],
        epoch=body.get("epoch", 0),
    )
    return body.get("number", 0), position
