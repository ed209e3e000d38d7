"""Gaps that wait for the catalogue: an append-only journal, durable at once, emptied when the rows are committed."""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path
from uuid import UUID

from domain.footage import Gap, GapCause
from domain.ids import CameraId
from domain.time import Span
from storage.spool.files import preallocate, replace_file, write_all
from storage.spool.records import packed, unpacked

_RESERVED_BYTES = 256 * 1024  # kept for gaps, so that they can be written when the disk is full
_BATCH_BYTES = 128 * 1024
_WAITING_MAX = 10_000


class GapJournal:
    """``append()`` never raises: what the disk refuses waits in memory, bounded, and is counted when it overflows."""

    def __init__(self, path: Path, *, sync: bool) -> None:
        """Opens the journal and cuts a torn tail off. OSError."""
        self._path = path
        self._sync = sync
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._done = 0  # bytes at the start that the catalogue has
        self.dropped = 0
        self._descriptor = self._open()

    @property
    def size_bytes(self) -> int:
        return self._size

    @property
    def empty(self) -> bool:
        return self._size == self._done and not self._waiting

    def append(self, gap: Gap) -> None:
        """Durable on return (in the page cache; on the disk with ``sync``), unless the disk refuses."""
        if len(self._waiting) >= _WAITING_MAX:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(packed(_encoded(gap)))
        self.flush()

    def flush(self) -> bool:
        """Write what waits in memory; False when the disk refuses."""
        while self._waiting:
            if not self._write(self._waiting[0]):
                return False
            self._waiting.popleft()
        return True

    def batch(self) -> tuple[list[Gap], int]:
        """Some hundred gaps that the catalogue does not have yet, and the mark to give to ``committed()``."""
        data = os.pread(self._descriptor, min(_BATCH_BYTES, self._size - self._done), self._done)
        gaps, end = [], 0
        for payload, end in unpacked(data):  # noqa: B007
            gaps.append(_decoded(payload))
        return gaps, self._done + end

    def committed(self, mark: int) -> None:
        """All before ``mark`` is in the catalogue. The journal is emptied, or shortened when that has grown long."""
        self._done = mark
        if self._done == self._size:
            os.ftruncate(self._descriptor, 0)
            self._size = self._done = 0
            self._reserve()
        elif self._done > 4 * _BATCH_BYTES:
            rest = os.pread(self._descriptor, self._size - self._done, self._done)
            replace_file(self._path, rest, sync=self._sync)
            os.close(self._descriptor)
            self._done = 0
            self._descriptor = self._open()

    def close(self) -> None:
        os.close(self._descriptor)

    def _open(self) -> int:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        whole = 0
        for _, whole in unpacked(data):  # noqa: B007
            pass
        if whole != len(data):
            os.ftruncate(descriptor, whole)
        self._size = whole
        self._descriptor = descriptor
        self._reserve()
        return descriptor

    def _reserve(self) -> None:
        try:
            preallocate(self._descriptor, _RESERVED_BYTES)
        except OSError:
            return  # the disk is full already: what cannot be written waits in memory

    def _write(self, record: bytes) -> bool:
        try:
            self._size += write_all(self._descriptor, [record])
            if self._sync:
                os.fdatasync(self._descriptor)
        except OSError:
            self._mend()
            return False
        return True

    def _mend(self) -> None:
        """After a failed write: cut off what went in of the record."""
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            return  # read-only: nothing went in


def _encoded(gap: Gap) -> bytes:
    body = [str(gap.camera_id), gap.span.start_ns, gap.span.end_ns, gap.cause.value, gap.detail[:500]]
    return json.dumps(body).encode()


def _decoded(payload: bytes) -> Gap:
    camera, start_ns, end_ns, cause, detail = json.loads(payload)
    return Gap(camera_id=CameraId(UUID(camera)), span=Span(start_ns, end_ns), cause=GapCause(cause), detail=detail)
