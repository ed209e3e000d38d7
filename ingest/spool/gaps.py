"""Gaps that wait for the catalogue: an append-only journal, durable at once, emptied when the rows are committed."""

from __future__ import annotations

import json
import os
from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from uuid import UUID

from domain.footage import Gap, GapCause
from domain.ids import CameraId
from domain.time import Span
from ingest.spool.files import preallocate, replace_file, write_all
from ingest.spool.records import packed, whole_records
from runtime.failpoints import hit

_RESERVED_BYTES = 256 * 1024  # kept for gaps, so that they can be written when the disk is full
_BATCH_BYTES = 128 * 1024
_BATCH = 1000
_WAITING_MAX = 10_000
_DETAIL_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Gaps for the catalogue, and where they come from."""

    gaps: list[Gap]
    position: int  # offset in the journal's file after them
    waiting: int  # number, since the start, after the last of those in memory


class GapJournal:
    """``append()`` never raises: what the disk refuses waits in memory, bounded, and is counted when it overflows.

    dropped: gaps that were lost, because memory overflowed or the file was damaged.
    """

    def __init__(self, path: Path, *, sync: bool) -> None:
        """Opens the journal and cuts a torn tail off. OSError."""
        self._path = path
        self._sync = sync
        self._waiting: deque[Gap] = deque()
        self._taken = 0  # how many have left ``_waiting`` since the start
        self._size = 0
        self._done = 0  # bytes at the start that the catalogue has
        self.dropped = 0
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._found = self._cut_tail()
        self._reserve()

    @property
    def size_bytes(self) -> int:
        """Length of the file."""
        return self._size

    @property
    def empty(self) -> bool:
        """Whether every gap has been committed, those in memory included."""
        return self._size == self._done and not self._waiting

    def found(self, camera_id: CameraId) -> list[Span]:
        """What the journal held of a camera when it was opened, in the order it was written."""
        return [gap.span for gap in self._found if gap.camera_id == camera_id]

    def append(self, gap: Gap) -> None:
        """Durable on return (in the page cache; on the disk with ``sync``), unless the disk refuses."""
        if len(self._waiting) >= _WAITING_MAX:
            self._take()
            self.dropped += 1
        self._waiting.append(_cleaned(gap))
        self.flush()
        hit("spool.gap")

    def flush(self) -> bool:
        """Write what waits in memory; False when the disk refuses."""
        while self._waiting:
            if not self._write(packed(_encoded(self._waiting[0]))):
                return False
            self._take()
        return True

    def batch(self) -> Batch:
        """Some hundred gaps that the catalogue does not have yet; for ``committed()`` afterwards. OSError.

        What the disk refuses is taken from memory: the disk need not recover before the catalogue has them.
        """
        data = os.pread(self._descriptor, min(_BATCH_BYTES, self._size - self._done), self._done)
        payloads, end = whole_records(data)
        gaps = [_decoded(payload) for payload in payloads]
        if not gaps and self._done < self._size:
            self.dropped += 1
            end = self._size - self._done
        if gaps or not self._waiting:
            return Batch(gaps=gaps, position=self._done + end, waiting=self._taken)
        gaps = list(islice(self._waiting, _BATCH))
        return Batch(gaps=gaps, position=self._done + end, waiting=self._taken + len(gaps))

    def committed(self, batch: Batch) -> None:
        """The catalogue has them. The journal is emptied, or shortened when that has grown long."""
        self._done = max(self._done, batch.position)
        while self._waiting and self._taken < batch.waiting:
            self._take()
        try:
            self._shorten()
        except OSError:
            return  # they are committed again after a restart, which changes nothing

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _take(self) -> None:
        self._waiting.popleft()
        self._taken += 1

    def _shorten(self) -> None:
        if self._done == self._size:
            if self._size:
                os.ftruncate(self._descriptor, 0)
                self._size = self._done = 0
                self._reserve()
        elif self._done > 4 * _BATCH_BYTES:
            rest = os.pread(self._descriptor, self._size - self._done, self._done)
            replace_file(self._path, rest, sync=self._sync)
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            os.close(self._descriptor)
            self._descriptor, self._size, self._done = descriptor, len(rest), 0
            self._reserve()

    def _cut_tail(self) -> list[Gap]:
        data = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)
        payloads, whole = whole_records(data)
        if whole != len(data):
            os.ftruncate(self._descriptor, whole)
        self._size = whole
        return [_decoded(payload) for payload in payloads]

    def _reserve(self) -> None:
        try:
            preallocate(self._descriptor, _RESERVED_BYTES)
        except OSError:
            return  # the disk is full already: what cannot be written waits in memory

    def _write(self, record: bytes) -> bool:
        try:
            # A failed write may have left a part of a record that could not be cut off then.
            if os.fstat(self._descriptor).st_size != self._size:
                os.ftruncate(self._descriptor, self._size)
            hit("spool.gap.write")
            write_all(self._descriptor, [record])
            if self._sync:
                os.fdatasync(self._descriptor)
        except OSError:
            return False
        self._size += len(record)
        return True


def _cleaned(gap: Gap) -> Gap:
    """A camera may have had a say in the detail: nothing that a database refuses, nothing that moves a cursor."""
    return replace(gap, detail="".join(char for char in gap.detail[:_DETAIL_MAX] if char.isprintable()))


def _encoded(gap: Gap) -> bytes:
    return json.dumps([str(gap.camera_id), gap.span.start_ns, gap.span.end_ns, gap.cause.value, gap.detail]).encode()


def _decoded(payload: bytes) -> Gap:
    camera, start_ns, end_ns, cause, detail = json.loads(payload)
    return Gap(camera_id=CameraId(UUID(camera)), span=Span(start_ns, end_ns), cause=GapCause(cause), detail=detail)
