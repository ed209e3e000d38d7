"""The journal of gaps that wait for the catalogue: append-only, durable at once, emptied after the commit."""

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
from domain.text import printable
from domain.time import Span
from ingest.spool.files import preallocate, replace_file, write_all
from ingest.spool.records import packed, whole_records
from runtime.failpoints import hit

_RESERVED_BYTES = 256 * 1024  # reserved for gaps, so that they can be written to a full disk
_BATCH_BYTES = 128 * 1024
_BATCH = 1000
_WAITING_MAX = 10_000
_DETAIL_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Gaps for the catalogue, and their place in the journal."""

    gaps: list[Gap]
    position: int  # offset after them in the journal's file
    waiting: int  # count of gaps in memory, since the start, after the last of these


class GapJournal:
    """Appends never raise: what the disk refuses waits in bounded memory, and is counted when that overflows.

    dropped: gaps lost because memory overflowed or the file was damaged
    """

    def __init__(self, path: Path, *, sync: bool) -> None:
        """Open the journal and cut off a torn tail. OSError."""
        self._path = path
        self._sync = sync
        self._waiting: deque[Gap] = deque()
        self._taken = 0  # number that has left ``_waiting`` since the start
        self._size = 0
        self._done = 0  # bytes at the front whose rows are committed
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
        """Return the camera's gaps that the journal held when it was opened, in writing order."""
        return [gap.span for gap in self._found if gap.camera_id == camera_id]

    def append(self, gap: Gap) -> None:
        """Append a gap: to the page cache, or with ``sync`` to the disk; to memory when the disk refuses."""
        if len(self._waiting) >= _WAITING_MAX:
            self._take()
            self.dropped += 1
        self._waiting.append(_cleaned(gap))
        self.flush()
        hit("spool.gap")

    def flush(self) -> bool:
        """Write the gaps that wait in memory. False: the disk refuses."""
        while self._waiting:
            if not self._write(packed(_encoded(self._waiting[0]))):
                return False
            self._take()
        return True

    def batch(self) -> Batch:
        """Return some hundred gaps to commit, then to be passed to ``committed()``. OSError.

        Includes the gaps in memory: they are committed even while the disk refuses them.
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
        """Forget gaps whose rows are committed: empty the journal, or shorten a long one."""
        self._done = max(self._done, batch.position)
        while self._waiting and self._taken < batch.waiting:
            self._take()
        try:
            self._shorten()
        except OSError:
            return  # they are committed again after a restart, which is harmless

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
            return  # the disk is full: what cannot be written waits in memory

    def _write(self, record: bytes) -> bool:
        try:
            # A failed write may have left a part of a record that could not be cut off at that time.
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
    """Clean the detail, which may quote a camera: no NUL, which the database refuses, and no terminal control."""
    return replace(gap, detail=printable(gap.detail[:_DETAIL_MAX]))


def _encoded(gap: Gap) -> bytes:
    return json.dumps([str(gap.camera_id), gap.span.start_ns, gap.span.end_ns, gap.cause.value, gap.detail]).encode()


def _decoded(payload: bytes) -> Gap:
    camera, start_ns, end_ns, cause, detail = json.loads(payload)
    return Gap(camera_id=CameraId(UUID(camera)), span=Span(start_ns, end_ns), cause=GapCause(cause), detail=detail)
