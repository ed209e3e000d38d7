"""What becomes of a file that was being written when the recorder stopped.

A whole object (only the renaming was missing) is published; when its facts lost records in the crash, without an index,
which is then read from the footage whenever it is wanted. A torn one is cut to its full chunks, before the first page
that a power cut kept from the disk, and signed as recovered. One that holds no whole fragment is removed: there is
nothing in it that could be shown. What cannot be understood is set aside. ``examine()`` decides and changes nothing, so
that what will be footage is known even while the disk refuses writes; ``apply()`` does it. Any crash in there leaves a
file of which the same will be decided again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import BinaryIO

from domain.ids import CameraId
from domain.time import Span
from ingest.spool.files import replace_file, write_all
from ingest.spool.layout import Layout, Place
from ingest.spool.metadata import Ending, Facts, Fragment, journal_of, recovered_journal
from ingest.spool.positions import Marks
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


class Outcome(StrEnum):
    PUBLISHED = "published"  # it was whole
    RECOVERED = "recovered"  # its full chunks were signed
    EMPTY = "empty"  # no whole fragment: removed
    DAMAGED = "damaged"  # set aside
    POSTPONED = "postponed"  # the disk refuses: nothing has changed yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    place: Place
    outcome: Outcome
    camera_id: CameraId | None = None
    span: Span | None = None  # of the footage in it; None: there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done with one file."""

    place: Place
    outcome: Outcome
    facts: Facts | None = None  # as they will be
    torn: ObjectRecovery | None = None  # how the file is to be cut and signed; None: it is whole
    trailer_sha256: bytes = b""
    previous_sha256: bytes = b""

    @property
    def span(self) -> Span | None:
        if self.facts is None or self.facts.ending is None:
            return None
        return Span(self.facts.beginning.start_ns, self.facts.ending.end_ns)

    def mended(self, outcome: Outcome | None = None) -> Mended:
        camera_id = None if self.facts is None else self.facts.beginning.camera_id
        return Mended(place=self.place, outcome=outcome or self.outcome, camera_id=camera_id, span=self.span)


def examine(place: Place, marks: Marks, identity: RecorderIdentity) -> Plan:
    """Decide what one ``.part`` file is. OSError when it cannot be read."""
    facts = journal_of(place.facts.read_bytes(), place.segment_id) if place.facts.exists() else None
    length = place.part.stat().st_size
    if facts is not None:
        told = facts.ending is not None
        facts = replace(facts, ending=None)
        try:
            with place.part.open("rb") as file:
                header_read = read_header(file, length)
                if header_read[1].core.segment_id != place.segment_id:
                    return Plan(place=place, outcome=Outcome.DAMAGED, facts=facts)  # another's bytes
                finished = read_finished(file, length, identity.public_key, header_read)
                if finished is not None:
                    return _whole(place, facts, finished, told=told)
                written = written_length(file, length)
                return _torn(place, facts, file, written, header_read, marks, identity)
        except RefusedError:
            pass  # not even its header is whole
    # Nothing but a header, or less: the crash came as the segment began. More without readable facts: for a person.
    outcome = Outcome.EMPTY if length < OVERHEAD else Outcome.DAMAGED
    return Plan(place=place, outcome=outcome, facts=facts)


def apply(plan: Plan, layout: Layout, marks: Marks, *, sync: bool) -> Mended:
    """Do it. OSError: the disk refuses; the file is as it was, or mended further."""
    if plan.outcome is Outcome.EMPTY:
        remove(plan.place)
    elif plan.outcome is Outcome.DAMAGED:
        set_aside(plan.place, layout)
    else:
        if plan.torn is not None:
            _cut(plan.place, plan.torn, sync)
        _publish(plan, marks, sync)
    return plan.mended()


def _whole(place: Place, facts: Facts, finished: FinishedObject, *, told: bool) -> Plan:
    """``told``: the facts are whole to their end. If not, records may be lost: none is better than some of them."""
    trailer = finished.trailer
    recovered = trailer.state == STATE_RECOVERED
    known = facts.fragments[-1].offset + facts.fragments[-1].size if facts.fragments else 0
    fragments = _held(facts, trailer.plain_len) if told or recovered or known >= trailer.plain_len else []
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
        outcome=Outcome.RECOVERED if recovered else Outcome.PUBLISHED,
        facts=replace(facts, fragments=tuple(fragments), ending=ending),
        trailer_sha256=finished.trailer_sha256,
        previous_sha256=trailer.previous_sha256,
    )


def _torn(
    place: Place,
    facts: Facts,
    file: BinaryIO,
    length: int,
    header_read: tuple[bytes, Header],
    marks: Marks,
    identity: RecorderIdentity,
) -> Plan:
    chunk_size = 1 << header_read[1].core.chunk_log2
    fragments = _held(facts, (length - HEADER_SIZE) // (chunk_size + TAG_SIZE) * chunk_size)
    if not fragments:
        return Plan(place=place, outcome=Outcome.EMPTY, facts=facts)
    previous = marks.load(facts.beginning.camera_id).trailer_sha256
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
        outcome=Outcome.RECOVERED,
        facts=replace(facts, fragments=tuple(fragments), ending=ending),
        torn=torn,
        trailer_sha256=torn.trailer_sha256,
        previous_sha256=previous,
    )


def _held(facts: Facts, plain_len: int) -> list[Fragment]:
    """Fragments that lie wholly in the first ``plain_len`` bytes."""
    return [item for item in facts.fragments if item.offset + item.size <= plain_len]


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


def _publish(plan: Plan, marks: Marks, sync: bool) -> None:
    facts, place = plan.facts, plan.place
    assert facts is not None
    assert facts.ending is not None
    replace_file(place.facts, recovered_journal(facts.beginning, facts.fragments, facts.ending), sync=sync)
    hit("spool.recover.facts")
    _advance(plan, facts.beginning.camera_id, facts.ending.end_ns, marks)
    hit("spool.recover.mark")
    place.part.rename(place.ready)
    hit("spool.recover.rename")


def _advance(plan: Plan, camera_id: CameraId, end_ns: int, marks: Marks) -> None:
    """The camera's mark goes on to this file's trailer, unless later ones follow that already."""
    mark = marks.load(camera_id)
    trailer = plan.trailer_sha256 if mark.trailer_sha256 == plan.previous_sha256 else mark.trailer_sha256
    end_ns = max(end_ns, mark.end_ns or end_ns)
    marks.save(camera_id, replace(mark, trailer_sha256=trailer, end_ns=end_ns, orderly=False))


def set_aside(place: Place, layout: Layout) -> None:
    """Keep whatever files there are where a person can look at them, and nothing else touches them."""
    for path in (place.part, place.ready, place.facts):
        if path.exists():
            path.rename(layout.damaged / path.name)


def remove(place: Place) -> None:
    """The sealed bytes first: facts alone are cleared away at the next start."""
    place.part.unlink(missing_ok=True)
    place.ready.unlink(missing_ok=True)
    hit("spool.remove.sealed")
    place.facts.unlink(missing_ok=True)
