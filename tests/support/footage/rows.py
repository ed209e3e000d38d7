"""Segments and their rows, made up: for tests that need one and care about a field or two of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from domain.footage import Codec, FragmentIndex, Segment
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import NS, Span

START_NS = 1_790_000_000 * NS

SEGMENT = Segment(
    segment_id=SegmentId(UUID(int=1)),
    site_id=SiteId(UUID(int=2)),
    camera_id=CameraId(UUID(int=3)),
    recorder_id=RecorderId(UUID(int=4)),
    hour_key_id=HourKeyId(UUID(int=5)),
    span=Span(START_NS, START_NS + 10 * NS),
    size_bytes=5_000_000,
    sha256=bytes([1]) * 32,
    header=bytes(210),
    codec=Codec(name="h264", mime="avc1.640028", width=640, height=360),
    init_size=700,
    frames=250,
    recovered=False,
    fragments=FragmentIndex(start_ms=(0, 500), offset=(700, 9000), size=(8300, 8000), key=(True, False)),
    epoch=3,
    init_sha256=bytes([2]) * 32,
    trailer=bytes([3]) * 168,
)


def segment(**changes: Any) -> Segment:
    return replace(SEGMENT, **changes)


def segment_row(made: Segment) -> dict[str, Any]:
    """As the database gives it."""
    index = made.fragments
    return {
        "segment_id": made.segment_id,
        "site_id": made.site_id,
        "camera_id": made.camera_id,
        "recorder_id": made.recorder_id,
        "hour_key_id": made.hour_key_id,
        "start_ns": made.span.start_ns,
        "end_ns": made.span.end_ns,
        "size_bytes": made.size_bytes,
        "sha256": made.sha256,
        "header": made.header,
        "codec": made.codec.name,
        "mime": made.codec.mime,
        "width": made.codec.width,
        "height": made.codec.height,
        "init_size": made.init_size,
        "frames": made.frames,
        "recovered": made.recovered,
        "epoch": made.epoch,
        "state": made.state.value,
        "fragment_start_ms": None if index is None else list(index.start_ms),
        "fragment_offset": None if index is None else list(index.offset),
        "fragment_size": None if index is None else list(index.size),
        "fragment_key": None if index is None else list(index.key),
        "init_sha256": made.init_sha256,
        "trailer": made.trailer,
    }
