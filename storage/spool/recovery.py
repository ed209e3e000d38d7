"""What becomes of a file that was being written when the recorder stopped.

A whole object (only the renaming was missing) is published. A torn one is cut to its full chunks and signed as
recovered. One that holds no whole fragment is removed: there is nothing in it that could be shown. What cannot be
understood is set aside. Any crash in here leaves a file that this same function mends at the next start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from domain.ids import CameraId
from storage.failpoints import hit
from storage.keys import RecorderIdentity
from storage.sealed import HEADER_SIZE, OVERHEAD, Recovered, RefusedError, read_finished, recover
from storage.sealed.format import STATE_RECOVERED, TAG_SIZE, parse_header
from storage.sealed.recovery import Finished
from storage.spool.facts import Beginning, Ending, Facts, Fragment, parse_journal, recovered_journal
from storage.spool.files import replace_file, write_all
from storage.spool.layout import Layout, Place
from storage.spool.marks import Mark, Marks


class Outcome(StrEnum):
    PUBLISHED = "published"  # it was whole
    RECOVERED = "recovered"  # its full chunks were signed
    EMPTY = "empty"  # no whole fragment: removed
    DAMAGED = "damaged"  # set aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    place: Place
    outcome: Outcome
    camera_id: CameraId | None = None
    end_ns: int | None = None  # of what is left of it


def mend(place: Place, layout: Layout, marks: Marks, identity: RecorderIdentity, *, sync: bool) -> Mended:
    """Deal with one ``.part`` file. OSError: the disk refuses, the file stays as it is for the next try."""
    facts = parse_journal(place.facts.read_bytes()) if place.facts.exists() else None
    length = place.part.stat().st_size
    if facts is None:
        return _without_facts(place, layout, length)
    try:
        with place.part.open("rb") as file:
            finished = read_finished(file, length, identity.public_key)
            if finished is not None:
                fragments = _held(facts, finished.trailer.plain_len)
                return _publish(
                    place, facts.beginning, fragments, _ending(finished), finished.trailer_sha256, marks, sync
                )
            found = _signed(file, facts, length, marks, identity)
    except RefusedError:
        return _without_facts(place, layout, length)
    if found is None:
        _remove(place)
        return Mended(place=place, outcome=Outcome.EMPTY, camera_id=facts.beginning.camera_id)
    fragments, whole = found
    _cut(place, whole, sync)
    ending = Ending(
        end_ns=fragments[-1].end_ns,
        size_bytes=whole.size,
        sha256=whole.sha256,
        header=whole.header_bytes,
        recovered=True,
        recorder_id=identity.recorder_id,
    )
    return _publish(place, facts.beginning, fragments, ending, whole.trailer_sha256, marks, sync)


def _ending(finished: Finished) -> Ending:
    return Ending(
        end_ns=finished.trailer.end_ns,
        size_bytes=finished.size,
        sha256=finished.sha256,
        header=finished.header_bytes,
        recovered=finished.trailer.state == STATE_RECOVERED,
        recorder_id=finished.trailer.recorder_id,
    )


def _held(facts: Facts, plain_len: int) -> list[Fragment]:
    """Fragments that lie wholly in the first ``plain_len`` bytes."""
    return [item for item in facts.fragments if item.offset + item.size <= plain_len]


def _signed(
    file: BinaryIO, facts: Facts, length: int, marks: Marks, identity: RecorderIdentity
) -> tuple[list[Fragment], Recovered] | None:
    """The fragments in full chunks, and the trailer over those chunks; None when not one fragment is whole."""
    file.seek(0)
    chunk_size = 1 << parse_header(file.read(HEADER_SIZE)).core.chunk_log2
    fragments = _held(facts, (length - HEADER_SIZE) // (chunk_size + TAG_SIZE) * chunk_size)
    if not fragments:
        return None
    whole = recover(
        file,
        length,
        end_ns=fragments[-1].end_ns,
        previous_trailer_sha256=marks.load(facts.beginning.camera_id).trailer_sha256,
        recorder_id=identity.recorder_id,
        sign=identity.sign,
    )
    return fragments, whole


def _cut(place: Place, whole: Recovered, sync: bool) -> None:
    descriptor = os.open(place.part, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(descriptor, whole.keep)
        hit("spool.recover.cut")
        os.lseek(descriptor, 0, os.SEEK_END)
        write_all(descriptor, [whole.trailer])
        hit("spool.recover.trailer")
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _publish(
    place: Place,
    beginning: Beginning,
    fragments: list[Fragment],
    ending: Ending,
    trailer_sha256: bytes,
    marks: Marks,
    sync: bool,
) -> Mended:
    replace_file(place.facts, recovered_journal(beginning, fragments, ending), sync=sync)
    hit("spool.recover.facts")
    mark = marks.load(beginning.camera_id)
    marks.save(beginning.camera_id, Mark(trailer_sha256=trailer_sha256, end_ns=max(ending.end_ns, mark.end_ns or 0)))
    hit("spool.recover.mark")
    place.part.rename(place.ready)
    outcome = Outcome.RECOVERED if ending.recovered else Outcome.PUBLISHED
    return Mended(place=place, outcome=outcome, camera_id=beginning.camera_id, end_ns=ending.end_ns)


def _without_facts(place: Place, layout: Layout, length: int) -> Mended:
    """Nothing but a header, or less: the crash came as the segment began. More without readable facts: set aside."""
    if length < OVERHEAD:
        _remove(place)
        return Mended(place=place, outcome=Outcome.EMPTY)
    set_aside(place, layout)
    return Mended(place=place, outcome=Outcome.DAMAGED)


def set_aside(place: Place, layout: Layout) -> None:
    """Keep whatever files there are where a person can look at them, and nothing else touches them."""
    for path in (place.part, place.ready, place.facts):
        if path.exists():
            path.rename(layout.damaged / path.name)


def _remove(place: Place) -> None:
    place.part.unlink(missing_ok=True)
    place.facts.unlink(missing_ok=True)
