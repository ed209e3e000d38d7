"""Derives a row from an object's own bytes, and compares rows with objects."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace

from domain.footage import SEGMENT_MAX_NS, Codec, Segment
from domain.time import Span
from storage.mp4 import Mp4Error, describe_init
from storage.sealed import object_name
from storage.sealed.format import STATE_RECOVERED
from upkeep.inspection.errors import BadObjectError, Flaw
from upkeep.inspection.objects import Inspected


def segment_of_object(found: Inspected, *, epoch: int = 1) -> Segment:
    """The row that follows from an object that was opened. BadObjectError: its times or its init are invalid."""
    if found.walked is None:
        raise ValueError("the object was not opened")
    try:
        codec = describe_init(found.walked.init)
    except Mp4Error as exc:
        raise BadObjectError(Flaw.BOXES, exc.what) from exc
    return replace(
        closed_segment_of(found),
        codec=codec,
        init_size=len(found.walked.init),
        frames=found.walked.frames,
        fragments=found.walked.index,
        epoch=epoch,
        init_sha256=hashlib.sha256(found.walked.init).digest(),
    )


def closed_segment_of(found: Inspected) -> Segment:
    """What follows without opening it: enough for an expired object to be removed. BadObjectError: its times."""
    core, trailer = found.header.core, found.trailer
    if not 0 < trailer.end_ns - core.start_ns <= SEGMENT_MAX_NS:
        raise BadObjectError(Flaw.TRAILER, "its times are invalid")
    return Segment(
        segment_id=core.segment_id,
        site_id=core.site_id,
        camera_id=core.camera_id,
        recorder_id=trailer.recorder_id,
        hour_key_id=core.hour_key_id,
        span=Span(core.start_ns, trailer.end_ns),
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        header=found.header_bytes,
        codec=Codec(name="h264", mime="", width=0, height=0),  # unknown and unread
        init_size=0,
        frames=0,
        recovered=trailer.state == STATE_RECOVERED,
        fragments=None,
        trailer=found.trailer_bytes,
    )


def check_name(found: Inspected, name: str) -> None:
    """BadObjectError unless the object is called what its header says: genuine bytes may be put under another name."""
    core = found.header.core
    ours = object_name(
        site_id=core.site_id, camera_id=core.camera_id, segment_id=core.segment_id, start_ns=core.start_ns
    )
    if ours != name:
        raise BadObjectError(Flaw.NAME, "it is the object of another name")


def differing_columns(row: Segment, found: Inspected) -> list[str]:
    """Fields in which a row and its object disagree. What only the row knows (epoch, state) is not compared."""
    if found.walked is None:
        plain = replace(
            row,
            size_bytes=found.size_bytes,
            sha256=found.sha256,
            header=found.header_bytes,
            span=Span(found.header.core.start_ns, max(found.trailer.end_ns, found.header.core.start_ns)),
            recorder_id=found.trailer.recorder_id,
            hour_key_id=found.header.core.hour_key_id,
            recovered=found.trailer.state == STATE_RECOVERED,
            trailer=found.trailer_bytes,
        )
    else:
        plain = segment_of_object(found, epoch=row.epoch)
    true = replace(plain, state=row.state)
    if row.fragments is None:
        true = replace(true, fragments=None, frames=row.frames)  # the recorder did not count them
    if row.init_sha256 is None:
        true = replace(true, init_sha256=None)
    if row.trailer is None:
        true = replace(true, trailer=None)
    return [item.name for item in fields(Segment) if getattr(row, item.name) != getattr(true, item.name)]
