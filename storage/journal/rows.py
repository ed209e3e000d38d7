"""Rows of the records that recorders write, to the types of domain/footage.py and back.

Rows by the custodian are rows of the database's tables, as PostgreSQL's to_jsonb() writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.footage import Gap, GapCause, Segment
from domain.ids import CameraId, RecorderId, SegmentId
from domain.time import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochStart:
    """The first segment that a recorder committed of a camera's epoch."""

    camera_id: CameraId
    recorder_id: RecorderId
    epoch: int
    segment_id: SegmentId
    start_ns: int


def gap_to_row(gap: Gap) -> dict[str, Any]:
    """JSON's types."""
    return {
        "camera_id": str(gap.camera_id),
        "start_ns": gap.span.start_ns,
        "end_ns": gap.span.end_ns,
        "cause": gap.cause.value,
        "detail": gap.detail,
    }


def gap_from_row(row: dict[str, Any]) -> Gap:
    """ValueError, KeyError, TypeError: the row is invalid."""
    span = Span(int(row["start_ns"]), int(row["end_ns"]))
    if not 0 <= span.start_ns < span.end_ns:
        raise ValueError("no span")
    return Gap(
        camera_id=CameraId(UUID(row["camera_id"])),
        span=span,
        cause=GapCause(row["cause"]),
        detail=str(row["detail"]),
    )


def epoch_to_row(first: Segment) -> dict[str, Any]:
    """JSON's types, of an epoch's first segment."""
    return {
        "camera_id": str(first.camera_id),
        "recorder_id": str(first.recorder_id),
        "epoch": first.epoch,
        "segment_id": str(first.segment_id),
        "start_ns": first.span.start_ns,
    }


def epoch_from_row(row: dict[str, Any]) -> EpochStart:
    """ValueError, KeyError, TypeError: the row is invalid."""
    return EpochStart(
        camera_id=CameraId(UUID(row["camera_id"])),
        recorder_id=RecorderId(UUID(row["recorder_id"])),
        epoch=int(row["epoch"]),
        segment_id=SegmentId(UUID(row["segment_id"])),
        start_ns=int(row["start_ns"]),
    )
