"""Names of objects, and the chunk size that fits a camera."""

from __future__ import annotations

from domain.ids import CameraId, SegmentId, SiteId
from domain.time import day_name
from storage.sealed.format import CHUNK_LOG2_MAX, CHUNK_LOG2_MIN


def object_name(*, site_id: SiteId, camera_id: CameraId, segment_id: SegmentId, start_ns: int) -> str:
    """``v1/<site>/<camera>/<YYYYMMDD>/<start_ns>-<segment>.tlns``: ids and times only (invariant 8)."""
    return f"v1/{site_id}/{camera_id}/{day_name(start_ns)}/{start_ns}-{segment_id}.tlns"


def chunk_log2_for(bits_per_second: float) -> int:
    """The largest chunk that fills within an eighth of a second, so that padding by the one-second rule stays rare.

    A fragment lasts half a second at most, and one without a key frame is smaller than others: chunks four times as
    large are padded so often that it takes several percent of the footage (unit/ingest/recording/test_padding.py).
    """
    eighth_bytes = max(1, int(bits_per_second / 64))
    return min(max(eighth_bytes.bit_length() - 1, CHUNK_LOG2_MIN), CHUNK_LOG2_MAX)
