"""One segment's files while it is recorded: sealed bytes and, beside them, the facts for its row."""

from __future__ import annotations

import os
from collections.abc import Sequence

from storage.failpoints import hit
from storage.spool.facts import Beginning, Ending, Fragment, begin_record, end_record, fragment_record
from storage.spool.files import preallocate, write_all
from storage.spool.layout import Place


class SegmentFile:
    """Append only. Every method may raise OSError, after which only ``close()`` may be called: recovery does the rest.

    Facts are written before the bytes they speak of: after a crash there is never a whole fragment without facts.
    """

    __slots__ = ("_facts", "_sealed", "dirty", "place", "size_bytes")

    def __init__(self, place: Place, beginning: Beginning, header: bytes, *, expected_bytes: int) -> None:
        """Makes the files. ``expected_bytes`` are reserved on the disk."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self.place = place
        self.size_bytes = 0  # of both files
        self.dirty = True  # written since the last sync
        self._facts = os.open(place.facts, flags, 0o600)
        try:
            self._sealed = os.open(place.part, flags, 0o600)
        except OSError:
            os.close(self._facts)
            raise
        try:
            preallocate(self._sealed, expected_bytes)
            self.size_bytes += write_all(self._facts, [begin_record(beginning)])
            hit("spool.begin.facts")
            self.size_bytes += write_all(self._sealed, [header])
        except OSError:
            self.close()
            raise

    def append(self, fragment: Fragment | None, chunks: Sequence[bytes]) -> int:
        """Bytes written. ``fragment``: the facts of what ``chunks`` end with, or None for padding."""
        written = 0
        if fragment is not None:
            written = write_all(self._facts, [fragment_record(fragment)])
            hit("spool.append.facts")
        if chunks:
            written += write_all(self._sealed, chunks)
            hit("spool.append.chunks")
        self.size_bytes += written
        self.dirty = True
        return written

    def finish(self, tail: bytes, ending: Ending) -> int:
        """The object's last bytes, its length cut to ``ending.size_bytes``, then the last fact. Bytes written."""
        written = write_all(self._sealed, [tail])
        hit("spool.finish.tail")
        os.ftruncate(self._sealed, ending.size_bytes)  # gives back what was reserved in excess
        written += write_all(self._facts, [end_record(ending)])
        hit("spool.finish.facts")
        self.size_bytes += written
        self.dirty = True
        return written

    def duplicate(self) -> tuple[int, int]:
        """Descriptors of both files for somebody who syncs them in a thread and closes them."""
        facts = os.dup(self._facts)
        try:
            return os.dup(self._sealed), facts
        except OSError:
            os.close(facts)
            raise

    def close(self) -> None:
        """Never raises: whatever could not be written shows in the files."""
        for descriptor in (self._sealed, self._facts):
            try:
                os.close(descriptor)
            except OSError:
                continue
