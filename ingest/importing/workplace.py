"""The directory in which imports work, one at a time: first in ``staging/``, then, when sealed, in ``ready/``.

staging/   being sealed; the next import deletes what a crash leaves here
ready/     every segment sealed and signed; from this rename on the import is completed, even after a crash

In either: ``spool/`` (storage/spool), ``identity`` (of the recorder that this import is; once the directory is gone no
one can sign for it) and ``note.json`` (the camera and the span).
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from domain.errors import MisuseError
from domain.ids import CameraId
from domain.time import Span
from runtime.locks import FileLock
from runtime.private_files import private_directory, sync_directory, write_private


class ImportBusyError(MisuseError):
    """Another import uses the directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The camera and span of an import. No file name: that may hold personal data."""

    camera_id: CameraId
    camera_name: str
    span: Span
    segments: int
    pictures: int


@dataclass(frozen=True, slots=True)
class Workplace:
    """The directory of an installation's imports."""

    directory: Path

    @property
    def staging(self) -> Path:
        """Directory in which segments are sealed; deleted after an interruption."""
        return self.directory / "staging"

    @property
    def ready(self) -> Path:
        """Directory in which sealed segments wait for their upload."""
        return self.directory / "ready"

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Lock the directory and delete what an interrupted import staged. ImportBusyError: another import runs."""
        private_directory(self.directory)
        with FileLock(self.directory / "lock", _busy):
            self.clear_staging()
            yield

    def begin(self) -> None:
        """Create an empty staging directory."""
        private_directory(self.staging)

    def clear_staging(self) -> None:
        """Delete the staging directory of an import that failed."""
        shutil.rmtree(self.staging, ignore_errors=True)

    def complete(self, note: Note) -> None:
        """Rename staging to ready: from now on the import is completed. OSError."""
        body = {
            "camera_id": str(note.camera_id),
            "camera_name": note.camera_name,
            "start_ns": note.span.start_ns,
            "end_ns": note.span.end_ns,
            "segments": note.segments,
            "pictures": note.pictures,
        }
        write_private(self.staging / "note.json", json.dumps(body).encode())
        self.staging.rename(self.ready)
        sync_directory(self.directory)

    def note(self) -> Note | None:
        """Return the note of a sealed import that waits for completion; None: there is none."""
        try:
            body = json.loads((self.ready / "note.json").read_bytes())
        except FileNotFoundError:
            return None
        return Note(
            camera_id=CameraId(UUID(body["camera_id"])),
            camera_name=body["camera_name"],
            span=Span(body["start_ns"], body["end_ns"]),
            segments=body["segments"],
            pictures=body["pictures"],
        )

    def done(self) -> None:
        """Remove a completed import. The next import deletes what a crash leaves here."""
        self.ready.rename(self.staging)
        self.clear_staging()


def _busy(holder: str) -> ImportBusyError:
    return ImportBusyError(f"Another import is running here ({holder}).", "Wait until it is done.")
