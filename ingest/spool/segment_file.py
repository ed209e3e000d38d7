"""One segment's files while it is recorded: sealed bytes and, beside them, the facts for its row."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from ingest.spool.files import preallocate, write_all
from ingest.spool.layout import Place
from ingest.spool.metadata import Beginning, Ending, Fragment, begin_record, end_record, fragment_record
from ingest.spool.spares import Spares
from runtime.failpoints import hit

_CLOSED = -1


class SegmentFile:
    """Append only. Every method may raise OSError, after which only ``close()`` may be called: recovery does the rest.

    Facts are written before the bytes they speak of: after a crash there is never a whole fragment without facts.
    """

    __slots__ = ("_facts", "_sealed", "dirty", "place", "size_bytes")

    def __init__(
        self, place: Place, beginning: Beginning, header: bytes, *, expected_bytes: int, spares: Spares
    ) -> None:
        """Makes the files, or leaves none. ``expected_bytes`` are reserved on the disk."""
        self.place = place
        self.size_bytes = 0  # of both files
        self.dirty = True  # written since the last sync
        self._facts = self._sealed = _CLOSED
        try:
            self._facts = _opened(place.facts, spares)
            self._sealed = _opened(place.part, spares)
            preallocate(self._sealed, expected_bytes)
            self.size_bytes += write_all(self._facts, [begin_record(beginning)])
            hit("spool.begin.facts")
            self.size_bytes += write_all(self._sealed, [header])
            hit("spool.begin.header")
        except OSError:
            self.close()
            self.remove()
            raise

    def append(self, fragment: Fragment | None, chunks: Sequence[bytes]) -> int:
        """Bytes written. ``fragment``: the facts of what ``chunks`` end with, or None for padding."""
        written = 0
        self.dirty = True
        if fragment is not None:
            written = write_all(self._facts, [fragment_record(fragment)])
            hit("spool.append.facts")
        if chunks:
            written += write_all(self._sealed, chunks)
            hit("spool.append.chunks")
        self.size_bytes += written
        return written

    def finish(self, tail: bytes, ending: Ending) -> int:
        """The object's last bytes, its length cut to ``ending.size_bytes``, then the last fact. Bytes written."""
        self.dirty = True
        written = write_all(self._sealed, [tail])
        hit("spool.finish.tail")
        os.ftruncate(self._sealed, ending.size_bytes)  # gives back what was reserved in excess
        written += write_all(self._facts, [end_record(ending)])
        hit("spool.finish.facts")
        self.size_bytes += written
        return written

    def holds(self, size_bytes: int) -> bool:
        """Whether so many bytes of the object are written."""
        with contextlib.suppress(OSError):
            return os.fstat(self._sealed).st_size >= size_bytes
        return False

    def sync(self) -> None:
        """On the disk on return. Facts first: bytes without facts are lost footage, facts without bytes are not."""
        self.dirty = False
        os.fdatasync(self._facts)
        os.fdatasync(self._sealed)

    def duplicate(self) -> tuple[int, int]:
        """Descriptors of both files, facts first, for somebody who syncs them in a thread and closes them."""
        facts = os.dup(self._facts)
        try:
            return facts, os.dup(self._sealed)
        except OSError:
            os.close(facts)
            raise

    def close(self) -> None:
        """Never raises: whatever could not be written shows in the files. Again: nothing."""
        for descriptor in (self._sealed, self._facts):
            if descriptor != _CLOSED:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self._sealed = self._facts = _CLOSED

    def remove(self) -> None:
        """Both files, as far as the disk lets us: what stays is found again as torn."""
        for path in (self.place.part, self.place.facts):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _opened(path: Path, spares: Spares) -> int:
    """An empty file, for appending."""
    new = 0 if spares.take(path) else os.O_CREAT | os.O_EXCL
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | new, 0o600)
