"""Converts a spool file's metadata to the catalogue's row."""

from __future__ import annotations

from domain.footage import Segment
from domain.time import Span
from ingest.spool import Ending, SegmentMetadata
from storage.sealed.format import parse_header


def segment_of(metadata: SegmentMetadata, ending: Ending) -> Segment:
    """Return the row of a finished segment."""
    beginning = metadata.beginning
    header = parse_header(ending.header)
    return Segment(
        segment_id=beginning.segment_id,
        site_id=beginning.site_id,
        camera_id=beginning.camera_id,
        recorder_id=ending.recorder_id,
        hour_key_id=header.core.hour_key_id,
        span=Span(beginning.start_ns, ending.end_ns),
        size_bytes=ending.size_bytes,
        sha256=ending.sha256,
        header=ending.header,
        codec=beginning.codec,
        init_size=beginning.init_size,
        frames=sum(item.frames for item in metadata.fragments),
        recovered=ending.recovered,
        fragments=metadata.index(),
        epoch=beginning.epoch,
        init_sha256=beginning.init_sha256,
        trailer=ending.trailer,
    )
