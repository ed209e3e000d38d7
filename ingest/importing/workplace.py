"""Where an import works: one at a time, first in ``staging/``, then, whole, in ``ready/``.

staging/   being sealed; whatever a crash leaves here is thrown away by the next import
ready/     every segment sealed and signed; the rename is the moment from which the import is carried through

In either: ``spool/`` (storage/spool), ``identity`` (the recorder that this import is; nobody can sign for it once the
directory is gone) and ``note.json`` (the camera and the span).
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
    """Another import runs here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What an import is of. No file name: that may hold personal data."""

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
        """Where segments are sealed; deleted when an import is interrupted."""
        return self.directory / "staging"

    @property
    def ready(self) -> Path:
        """Where whole segments wait for their upload."""
        return self.directory / "ready"

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Lock out other imports, and delete what an interrupted one staged. ImportBusyError when another runs."""
        private_directory(self.directory)
        with FileLock(self.directory / "lock", _busy):
            self.clear_staging()
            yield

    def begin(self) -> None:
        """An empty staging directory."""
        private_directory(self.staging)

    def clear_staging(self) -> None:
        """An import that came to nothing leaves nothing."""
        shutil.rmtree(self.staging, ignore_errors=True)

    def complete(self, note: Note) -> None:
        """All is sealed: from now on it is carried through. OSError."""
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
        """Of a whole import that waits to be carried through; None when there is none."""
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
        """Everything is in the store and the catalogue. A crash here leaves what the next import throws away."""
        self.ready.rename(self.staging)
        self.clear_staging()


def _busy(holder: str) -> ImportBusyError:
    return ImportBusyError(f"Another import is running here ({holder}).", "Wait until it is done.")
