"""Recovers a file that was being written when the recorder stopped.

A whole object that only lacks its final name is published; if the crash took records of its metadata it gets no index,
and readers derive one from the boxes. A torn file is truncated to its full chunks, before the first page that a power
cut took, and signed as recovered. A file without a whole fragment is deleted. Anything else is set aside.
``examine()`` decides without changing anything, so that the footage is known even while the disk refuses writes;
``apply()`` carries it out. A crash at any point leaves a file for which ``examine()`` decides the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import BinaryIO

from domain.ids import CameraId
from domain.time import Span
from ingest.spool.files import replace_file, write_all
from ingest.spool.layout import Place, SpoolLayout
from ingest.spool.metadata import Ending, Fragment, SegmentMetadata, journal_of, recovered_journal
from ingest.spool.positions import CameraPositions
from runtime.failpoints import hit
from storage.keys import RecorderIdentity
from storage.sealed import (
    HEADER_SIZE,
    OVERHEAD,
    ObjectRecovery,
    RefusedError,
    plan_recovery,
    read_finished,
    written_length,
)
from storage.sealed.format import STATE_RECOVERED, TAG_SIZE, Header
from storage.sealed.recovery import FinishedObject, read_header


class RecoveryOutcome(StrEnum):
    """What happened to a torn file."""

    PUBLISHED = "published"  # the object was whole
    RECOVERED = "recovered"  # the full chunks were signed
    EMPTY = "empty"  # without a whole fragment: removed
    DAMAGED = "damaged"  # set aside
    POSTPONED = "postponed"  # the disk refuses: nothing was changed


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryResult:
    """Outcome for one file, and the footage in it."""

    place: Place
    outcome: RecoveryOutcome
    camera_id: CameraId | None = None
    span: Span | None = None  # of the footage; None: there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The recovery of one file: what to cut, sign or keep."""

    place: Place
    outcome: RecoveryOutcome
    metadata: SegmentMetadata | None = None  # after recovery
    torn: ObjectRecovery | None = None  # where to cut the file and what to sign; None: the file is whole
    trailer_sha256: bytes = b""
    previous_sha256: bytes = b""

    @property
    def span(self) -> Span | None:
        """Of the footage that remains; None: there is none."""
        if self.metadata is None or self.metadata.ending is None:
            return None
        return Span(self.metadata.beginning.start_ns, self.metadata.ending.end_ns)

    def result(self, outcome: RecoveryOutcome | None = None) -> RecoveryResult:
        """Return the result of the plan. ``outcome``: replaces that of the plan."""
        camera_id = None if self.metadata is None else self.metadata.beginning.camera_id
        return RecoveryResult(place=self.place, outcome=outcome or self.outcome, camera_id=camera_id, span=self.span)


def examine(place: Place, positions: CameraPositions, identity: RecorderIdentity) -> Plan:
    """Decide what to do with one ``.part`` file. Changes nothing. OSError: the file cannot be read."""
    metadata = journal_of(place.metadata.read_bytes(), place.segment_id) if place.metadata.exists() else None
    length = place.part.stat().st_size
    if metadata is not None:
        complete = metadata.ending is not None
        metadata = replace(metadata, ending=None)
        try:
            with place.part.open("rb") as file:
                header_read = read_header(file, length)
                if header_read[1].core.segment_id != place.segment_id:
                    return Plan(
                        place=place, outcome=RecoveryOutcome.DAMAGED, metadata=metadata
                    )  # the bytes of another segment
                finished = read_finished(file, length, identity.public_key, header_read)
                if finished is not None:
                    return _whole(place, metadata, finished, complete=complete)
                written = written_length(file, length)
                return _torn(place, metadata, file, written, header_read, positions, identity)
        except RefusedError:
            pass  # the header is incomplete
    # At most a header: the crash came as the segment began. More, without readable metadata, is for an operator.
    outcome = RecoveryOutcome.EMPTY if length < OVERHEAD else RecoveryOutcome.DAMAGED
    return Plan(place=place, outcome=outcome, metadata=metadata)


def apply(plan: Plan, layout: SpoolLayout, positions: CameraPositions, *, sync: bool) -> RecoveryResult:
    """Carry the plan out. OSError: the disk refuses; the file is unchanged, or recovered in part. Repeatable."""
    if plan.outcome is RecoveryOutcome.EMPTY:
        remove(plan.place)
    elif plan.outcome is RecoveryOutcome.DAMAGED:
        set_aside(plan.place, layout)
    else:
        if plan.torn is not None:
            _cut(plan.place, plan.torn, sync)
        _publish(plan, positions, sync)
    return plan.result()


def _whole(place: Place, metadata: SegmentMetadata, finished: FinishedObject, *, complete: bool) -> Plan:
    """Plan for a whole object. ``complete``: its metadata reach to their last record.

    When they do not, records may be missing in between: the row then gets no index rather than a part of one.
    """
    trailer = finished.trailer
    recovered = trailer.state == STATE_RECOVERED
    known = metadata.fragments[-1].offset + metadata.fragments[-1].size if metadata.fragments else 0
    fragments = _held(metadata, trailer.plain_len) if complete or recovered or known >= trailer.plain_len else []
    ending = Ending(
        end_ns=trailer.end_ns,
        size_bytes=finished.size,
        sha256=finished.sha256,
        header=finished.header_bytes,
        recovered=recovered,
        recorder_id=trailer.recorder_id,
        trailer=finished.trailer_bytes,
    )
    return Plan(
        place=place,
        outcome=RecoveryOutcome.RECOVERED if recovered else RecoveryOutcome.PUBLISHED,
        metadata=replace(metadata, fragments=tuple(fragments), ending=ending),
        trailer_sha256=finished.trailer_sha256,
        previous_sha256=trailer.previous_sha256,
    )


def _torn(
    place: Place,
    metadata: SegmentMetadata,
    file: BinaryIO,
    length: int,
    header_read: tuple[bytes, Header],
    positions: CameraPositions,
    identity: RecorderIdentity,
) -> Plan:
    chunk_size = 1 << header_read[1].core.chunk_log2
    fragments = _held(metadata, (length - HEADER_SIZE) // (chunk_size + TAG_SIZE) * chunk_size)
    if not fragments:
        return Plan(place=place, outcome=RecoveryOutcome.EMPTY, metadata=metadata)
    previous = positions.load(metadata.beginning.camera_id).trailer_sha256
    end_ns = fragments[-1].end_ns
    torn = plan_recovery(
        file,
        length,
        end_ns=end_ns,
        previous_trailer_sha256=previous,
        recorder_id=identity.recorder_id,
        sign=identity.sign,
        header_read=header_read,
    )
    ending = Ending(
        end_ns=end_ns,
        size_bytes=torn.size,
        sha256=torn.sha256,
        header=torn.header_bytes,
        recovered=True,
        recorder_id=identity.recorder_id,
        trailer=torn.trailer,
    )
    return Plan(
        place=place,
        outcome=RecoveryOutcome.RECOVERED,
        metadata=replace(metadata, fragments=tuple(fragments), ending=ending),
        torn=torn,
        trailer_sha256=torn.trailer_sha256,
        previous_sha256=previous,
    )


def _held(metadata: SegmentMetadata, plain_len: int) -> list[Fragment]:
    """Return the fragments that lie wholly in the first ``plain_len`` bytes."""
    return [item for item in metadata.fragments if item.offset + item.size <= plain_len]


def _cut(place: Place, torn: ObjectRecovery, sync: bool) -> None:
    descriptor = os.open(place.part, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(descriptor, torn.keep_size)
        hit("spool.recover.cut")
        os.lseek(descriptor, 0, os.SEEK_END)
        write_all(descriptor, [torn.trailer])
        hit("spool.recover.trailer")
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _publish(plan: Plan, positions: CameraPositions, sync: bool) -> None:
    metadata, place = plan.metadata, plan.place
    assert metadata is not None
    assert metadata.ending is not None
    replace_file(place.metadata, recovered_journal(metadata.beginning, metadata.fragments, metadata.ending), sync=sync)
    hit("spool.recover.metadata")
    _advance(plan, metadata.beginning.camera_id, metadata.ending.end_ns, positions)
    hit("spool.recover.position")
    place.part.rename(place.ready)
    hit("spool.recover.rename")


def _advance(plan: Plan, camera_id: CameraId, end_ns: int, positions: CameraPositions) -> None:
    """Advance the camera's position to this file's trailer, unless later segments follow it already."""
    position = positions.load(camera_id)
    trailer = plan.trailer_sha256 if position.trailer_sha256 == plan.previous_sha256 else position.trailer_sha256
    end_ns = max(end_ns, position.end_ns or end_ns)
    positions.save(camera_id, replace(position, trailer_sha256=trailer, end_ns=end_ns, orderly=False))


def set_aside(place: Place, layout: SpoolLayout) -> None:
    """Move the segment's files to ``damaged/``, where an operator can examine them."""
    for path in (place.part, place.ready, place.metadata):
        if path.exists():
            path.rename(layout.damaged / path.name)


def remove(place: Place) -> None:
    """Delete the sealed bytes first: metadata without them are deleted at the next start."""
    place.part.unlink(missing_ok=True)
    place.ready.unlink(missing_ok=True)
    hit("spool.remove.sealed")
    place.metadata.unlink(missing_ok=True)
