"""Converts rows of the catalogue to the types of domain/footage.py and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.footage import Codec, FragmentIndex, Gap, GapCause, Segment, SegmentState
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import DAY_NS, Span


def segment_to_arguments(segment: Segment) -> list[Any]:
    """Return the 24 parameters of the SQL function ``commit_segment()``, in order."""
    index = segment.fragments
    return [
        segment.segment_id,
        segment.site_id,
        segment.camera_id,
        segment.recorder_id,
        segment.hour_key_id,
        segment.span.start_ns,
        segment.span.end_ns,
        segment.size_bytes,
        segment.sha256,
        segment.header,
        segment.codec.name,
        segment.codec.mime,
        segment.codec.width,
        segment.codec.height,
        segment.init_size,
        segment.frames,
        segment.recovered,
        segment.epoch,
        None if index is None else index.start_ms,
        None if index is None else index.offset,
        None if index is None else index.size,
        None if index is None else index.key,
        segment.init_sha256,
        segment.trailer,
    ]


def segment_from_row(row: Mapping[str, Any]) -> Segment:
    """Convert a row of table ``segment``, all columns."""
    return Segment(
        segment_id=SegmentId(row["segment_id"]),
        site_id=SiteId(row["site_id"]),
        camera_id=CameraId(row["camera_id"]),
        recorder_id=RecorderId(row["recorder_id"]),
        hour_key_id=HourKeyId(row["hour_key_id"]),
        span=Span(row["start_ns"], row["end_ns"]),
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        header=row["header"],
        codec=Codec(name=row["codec"], mime=row["mime"], width=row["width"], height=row["height"]),
        init_size=row["init_size"],
        frames=row["frames"],
        recovered=row["recovered"],
        fragments=_fragments(row),
        epoch=row["epoch"],
        state=SegmentState(row["state"]),
        init_sha256=row["init_sha256"],
        trailer=row["trailer"],
    )


def _fragments(row: Mapping[str, Any]) -> FragmentIndex | None:
    if row["fragment_offset"] is None:
        return None
    return FragmentIndex(
        start_ms=tuple(row["fragment_start_ms"]),
        offset=tuple(row["fragment_offset"]),
        size=tuple(row["fragment_size"]),
        key=tuple(row["fragment_key"]),
    )


def gap_from_row(row: Mapping[str, Any]) -> Gap:
    """Convert a row of table ``gap``."""
    return Gap(
        camera_id=CameraId(row["camera_id"]),
        span=Span(row["start_ns"], row["end_ns"]),
        cause=GapCause(row["cause"]),
        detail=row["detail"],
    )


def gap_pieces(gap: Gap) -> Iterable[Gap]:
    """Yield the gap cut at UTC midnights.

    No row is longer than a day, which bounds how far back an overlap search has to look. Cutting at fixed times makes
    a repeated commit produce the same rows.
    """
    start = gap.span.start_ns
    while start < gap.span.end_ns:
        end = min(gap.span.end_ns, start - start % DAY_NS + DAY_NS)
        yield Gap(camera_id=gap.camera_id, span=Span(start, end), cause=gap.cause, detail=gap.detail)
        start = end


def joined_gaps(gaps: Iterable[Gap]) -> list[Gap]:
    """Join touching gaps of one camera with equal cause and detail. ``gaps`` are sorted by camera and time."""
    joined: list[Gap] = []
    for gap in gaps:
        last = joined[-1] if joined else None
        if (
            last is not None
            and (last.camera_id, last.cause, last.detail) == (gap.camera_id, gap.cause, gap.detail)
            and last.span.end_ns == gap.span.start_ns
        ):
            span = Span(last.span.start_ns, gap.span.end_ns)
            joined[-1] = Gap(camera_id=gap.camera_id, span=span, cause=gap.cause, detail=gap.detail)
        else:
            joined.append(gap)
    return joined
