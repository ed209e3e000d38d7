"""Times for tests of the catalogue."""

from __future__ import annotations

import os
import uuid

from domain.footage import Codec, FragmentIndex, Segment
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import DAY_NS, NS, Span

T = 20_500 * DAY_NS


def segment(
    camera_id: CameraId, start_s: float, end_s: float, *, epoch: int = 1, site_id: SiteId | None = None
) -> Segment:
    return Segment(
        segment_id=SegmentId(uuid.uuid4()),
        site_id=site_id or SiteId(uuid.uuid4()),
        camera_id=camera_id,
        recorder_id=RecorderId(uuid.uuid4()),
        hour_key_id=HourKeyId(uuid.uuid4()),
        span=Span(T + round(start_s * NS), T + round(end_s * NS)),
        size_bytes=1000,
        sha256=os.urandom(32),
        header=os.urandom(210),
        codec=Codec(name="h264", mime="avc1.64001f", width=640, height=360),
        init_size=700,
        frames=250,
        recovered=False,
        fragments=FragmentIndex(start_ms=(0, 500), offset=(700, 1000), size=(300, 200), key=(True, False)),
        epoch=epoch,
    )
