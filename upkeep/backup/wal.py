"""The write-ahead log by position: read from the files of a running cluster, written into those of a restored one.

A position is the log's address in bytes (pg_lsn). Bytes before the flushed position never change.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from storage.backup.errors import LogGoneError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wal:
    """One timeline of a cluster's log."""

    directory: Path  # pg_wal
    timeline: int
    segment_bytes: int

    def read(self, start: int, end: int) -> bytes:
        """Bytes [start, end), which must be flushed. LogGoneError: the server has removed them already."""
        found = bytearray()
        while start < end:
            name, offset = self._place(start)
            size = min(end - start, self.segment_bytes - offset)
            try:
                with (self.directory / name).open("rb") as file:
                    data = os.pread(file.fileno(), size, offset)
            except FileNotFoundError:
                data = b""
            if len(data) != size:
                raise LogGoneError(f"The database's log {name} is gone.", "A new base copy is taken.")
            found += data
            start += size
        return bytes(found)

    def write(self, start: int, data: bytes) -> None:
        """Put the bytes where the server looks for them. What follows in the file is zeros: the log ends there."""
        at = 0
        while at < len(data):
            name, offset = self._place(start + at)
            piece = data[at : at + self.segment_bytes - offset]
            descriptor = os.open(self.directory / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.ftruncate(descriptor, self.segment_bytes)
                os.pwrite(descriptor, piece, offset)
            finally:
                os.close(descriptor)
            at += len(piece)

    def _place(self, position: int) -> tuple[str, int]:
        """The file (XLogFileName of xlog_internal.h) and the offset in it."""
        number, offset = divmod(position, self.segment_bytes)
        high, low = divmod(number, (1 << 32) // self.segment_bytes)
        return f"{self.timeline:08X}{high:08X}{low:08X}", offset
