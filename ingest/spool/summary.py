"""Reads a spool that another process uses, without locking or changing anything."""

from __future__ import annotations

import contextlib
from pathlib import Path

from domain.ids import CameraId
from ingest.spool.layout import METADATA, SpoolLayout, place_of
from ingest.spool.metadata import parse_journal


def oldest_waiting(directory: Path, camera_id: CameraId) -> int | None:
    """Return the start of the camera's oldest segment without a row, including the one being recorded. OSError."""
    layout = SpoolLayout(directory)
    if not layout.segments.is_dir():
        return None
    starts = []
    for path in layout.segments.glob("*" + METADATA):
        place = place_of(path)
        with contextlib.suppress(FileNotFoundError):  # uploaded meanwhile
            metadata = parse_journal(path.read_bytes())
            if place is not None and metadata is not None and metadata.beginning.camera_id == camera_id:
                starts.append(place.start_ns)
    return min(starts, default=None)
