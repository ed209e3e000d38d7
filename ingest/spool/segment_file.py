"""The two files of a segment while it is recorded: the sealed bytes, and the metadata for its row."""

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
    """Appends to both files. After an OSError of any method only ``close()`` may be called; recovery does the rest.

    Metadata are written before the bytes that they describe: after a crash no whole fragment lacks metadata.
    """

    __slots__ = ("_metadata", "_sealed", "dirty", "place", "size_bytes")

    def __init__(
        self, place: Place, beginning: Beginning, header: bytes, *, expected_bytes: int, spares: Spares
    ) -> None:
        """Create both files and reserve ``expected_bytes`` on the disk. OSError: neither file exists."""
        self.place = place
        self.size_bytes = 0  # of both files
        self.dirty = True  # written since the last sync
        self._metadata = self._sealed = _CLOSED
        try:
            self._metadata = _opened(place.metadata, spares)
            self._sealed = _opened(place.part, spares)
            preallocate(self._sealed, expected_bytes)
            self.size_bytes += write_all(self._metadata, [begin_record(beginning)])
            hit("spool.begin.metadata")
            self.size_bytes += write_all(self._sealed, [header])
            hit("spool.begin.header")
        except OSError:
            self.close()
            self.remove()
            raise

    def append(self, fragment: Fragment | None, chunks: Sequence[bytes]) -> int:
        """Append chunks and return the number of bytes written to both files.

        ``fragment``: the metadata of the fragment that these chunks complete; None for padding. OSError.
        """
        written = 0
        self.dirty = True
        if fragment is not None:
            written = write_all(self._metadata, [fragment_record(fragment)])
            hit("spool.append.metadata")
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
        os.ftruncate(self._sealed, ending.size_bytes)  # frees the blocks that were reserved in excess
        written += write_all(self._metadata, [end_record(ending)])
        hit("spool.finish.metadata")
        self.size_bytes += written
        return written

    def holds(self, size_bytes: int) -> bool:
        """Whether at least ``size_bytes`` of the object are written. False too when the file cannot be examined."""
        with contextlib.suppress(OSError):
            return os.fstat(self._sealed).st_size >= size_bytes
        return False

    def sync(self) -> None:
        """Make both files durable. OSError.

        Metadata come first: bytes without metadata are lost footage, metadata without bytes are harmless.
        """
        self.dirty = False
        os.fdatasync(self._metadata)
        os.fdatasync(self._sealed)

    def duplicate(self) -> tuple[int, int]:
        """Return new descriptors of both files, the metadata's first. The caller syncs and closes them. OSError."""
        metadata = os.dup(self._metadata)
        try:
            return metadata, os.dup(self._sealed)
        except OSError:
            os.close(metadata)
            raise

    def close(self) -> None:
        """Close both files. Never raises: what could not be written is missing in the files. Repeatable."""
        for descriptor in (self._sealed, self._metadata):
            if descriptor != _CLOSED:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self._sealed = self._metadata = _CLOSED

    def remove(self) -> None:
        """Delete both files. One that the disk refuses to delete is recovered later as a torn file."""
        for path in (self.place.part, self.place.metadata):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _opened(path: Path, spares: Spares) -> int:
    """Open an empty file for appending: a spare one, if there is any."""
    new = 0 if spares.take(path) else os.O_CREAT | os.O_EXCL
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | new, 0o600)
