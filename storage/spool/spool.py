"""The spool: sealed files on the local disk, from their first byte until the catalogue has their row.

A finished segment counts as accepted once its file is called ``.tlns``. It leaves the spool only by ``remove()``
(stored, verified and committed), by ``drop()`` (the operator's policy for a full spool) or to ``damaged/``.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from domain.ids import CameraId
from storage.failpoints import hit
from storage.keys import RecorderIdentity
from storage.settings import SpoolSettings
from storage.spool.errors import DamagedSpoolFileError, SpoolBusyError, SpoolError, SpoolFullError
from storage.spool.facts import Beginning, Facts, parse_journal, stored_record
from storage.spool.files import sync_folder, write_all
from storage.spool.gaps import GapJournal
from storage.spool.layout import PART, READY, Layout, Place, place_of
from storage.spool.marks import Mark, Marks
from storage.spool.recovery import Mended, Outcome, mend, set_aside
from storage.spool.segment_file import SegmentFile


@dataclass(frozen=True, slots=True, order=True)
class Pending:
    """A finished segment in the spool. Ordered by start; what its row says is read when it is needed."""

    place: Place
    size_bytes: int  # of both files


class Spool:
    """One recorder's. Not for use from several threads at once, except where a method says so."""

    def __init__(self, settings: SpoolSettings) -> None:
        """Makes and locks the directory. SpoolBusyError, SpoolError."""
        self._settings = settings
        self.layout = Layout(settings.directory)
        self._open: set[Place] = set()
        self._used = 0
        try:
            self.layout.make()
            self._lock = _locked(self.layout.lock)
            self.marks = Marks(self.layout.cameras, sync=settings.fsync)
            self.gaps = GapJournal(self.layout.gaps, sync=settings.fsync)
        except OSError as exc:
            raise SpoolError(
                f"The spool {settings.directory} cannot be used ({exc.strerror}).", "Check owner, mode and disk."
            ) from exc

    @property
    def fsync(self) -> bool:
        return self._settings.fsync

    @property
    def used_bytes(self) -> int:
        return self._used + self.gaps.size_bytes

    @property
    def max_bytes(self) -> int:
        return self._settings.max_bytes

    def close(self) -> None:
        self.gaps.close()
        os.close(self._lock)

    # -- Recording

    def begin(self, beginning: Beginning, header: bytes, *, expected_bytes: int) -> SegmentFile:
        """SpoolFullError before anything is written when there is no room; SpoolError when the disk refuses."""
        self.check_room(expected_bytes)
        place = Place(self.layout.segments, beginning.start_ns, beginning.segment_id)
        try:
            file = SegmentFile(place, beginning, header, expected_bytes=expected_bytes)
        except OSError as exc:
            raise disk_error(exc) from exc
        self._open.add(place)
        self._used += file.size_bytes
        return file

    def check_room(self, wanted_bytes: int) -> None:
        """SpoolFullError unless ``wanted_bytes`` fit below both limits: the spool's own and the disk's reserve."""
        if self.used_bytes + wanted_bytes > self._settings.max_bytes:
            raise SpoolFullError(
                f"The spool is full ({self.used_bytes} of {self._settings.max_bytes} bytes).",
                "Is the object store or the database away? Mend that, or allow the spool more.",
            )
        try:
            disk = os.statvfs(self.layout.directory)
        except OSError as exc:
            raise disk_error(exc) from exc
        if disk.f_bavail * disk.f_frsize < self._settings.reserve_bytes + wanted_bytes:
            raise SpoolFullError(
                f"The spool's disk has less than {self._settings.reserve_bytes} bytes left.", "Make room on it."
            )

    def grown(self, written: int) -> None:
        """Account for what was appended to an open segment."""
        self._used += written

    def publish(self, file: SegmentFile, camera_id: CameraId, mark: Mark) -> Pending:
        """A finished segment becomes visible to the uploader. Synced before, where syncing is asked for. OSError."""
        place = file.place
        file.close()
        self.marks.save(camera_id, mark)
        hit("spool.publish.mark")
        place.part.rename(place.ready)
        hit("spool.publish.rename")
        if self._settings.fsync:
            sync_folder(self.layout.segments)
        self._open.discard(place)
        return Pending(place, file.size_bytes)

    def forsake(self, file: SegmentFile) -> None:
        """An open segment whose file can no longer be written: left to ``mend()``."""
        file.close()
        self._open.discard(file.place)

    def discard(self, file: SegmentFile) -> None:
        """An open segment that came to nothing: it holds not one fragment. SpoolError."""
        self.forsake(file)
        try:
            file.place.part.unlink(missing_ok=True)
            file.place.facts.unlink(missing_ok=True)
        except OSError as exc:
            raise disk_error(exc) from exc
        self._used -= file.size_bytes

    # -- After a crash, or a disk that refused for a while

    def torn(self) -> list[Place]:
        """Files that were being written and are no longer, oldest first. OSError."""
        found = [place_of(path) for path in self.layout.segments.glob("*" + PART)]
        return sorted(place for place in found if place is not None and place not in self._open)

    def mend(self, place: Place, identity: RecorderIdentity) -> Mended:
        """Deal with one torn file. May run in a thread as long as nobody else touches that one. SpoolError."""
        try:
            return mend(place, self.layout, self.marks, identity, sync=self._settings.fsync)
        except OSError as exc:
            raise disk_error(exc) from exc

    def adopt(self, mended: Mended, counted_bytes: int) -> Pending | None:
        """After ``mend()``: account for what is left of ``counted_bytes``; None when nothing is to be uploaded."""
        left = 0
        if mended.outcome in (Outcome.PUBLISHED, Outcome.RECOVERED):
            left = mended.place.ready.stat().st_size + mended.place.facts.stat().st_size
        self._used += left - counted_bytes
        return Pending(mended.place, left) if left else None

    def waiting(self) -> list[Pending]:
        """All finished segments, oldest first; counts what the spool holds anew. OSError."""
        sizes: dict[Place, int] = {}
        ready: set[Place] = set()
        with os.scandir(self.layout.segments) as entries:
            for entry in entries:
                place = place_of(Path(entry.path))
                if place is None:
                    continue
                sizes[place] = sizes.get(place, 0) + entry.stat().st_size
                if entry.name.endswith(READY):
                    ready.add(place)
        self._used = sum(sizes.values())
        for place in sizes.keys() - ready - self._open:
            if not place.part.exists():  # a crash between the two deletions of remove()
                place.facts.unlink(missing_ok=True)
                self._used -= sizes[place]
        return sorted(Pending(place, sizes[place]) for place in ready)

    # -- Uploading

    def facts_of(self, pending: Pending) -> Facts:
        """What the row will say. DamagedSpoolFileError, after the files have been set aside."""
        try:
            facts = parse_journal(pending.place.facts.read_bytes())
        except FileNotFoundError:
            facts = None
        except OSError as exc:
            raise disk_error(exc) from exc
        if facts is None or facts.ending is None:
            self.set_aside(pending)
            raise DamagedSpoolFileError(
                f"The facts of spool file {pending.place.stem} cannot be read.",
                f"It was set aside in {self.layout.damaged}.",
            )
        return facts

    def note_stored(self, pending: Pending) -> None:
        """The object store holds it: after a restart only the row is missing. SpoolError."""
        try:
            descriptor = os.open(pending.place.facts, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                write_all(descriptor, [stored_record()])
            finally:
                os.close(descriptor)
        except OSError as exc:
            raise disk_error(exc) from exc

    def remove(self, pending: Pending) -> None:
        """The row is committed. SpoolError."""
        try:
            pending.place.ready.unlink(missing_ok=True)
            hit("spool.remove.sealed")
            pending.place.facts.unlink(missing_ok=True)
        except OSError as exc:
            raise disk_error(exc) from exc
        self._used -= pending.size_bytes

    def set_aside(self, pending: Pending) -> None:
        """Out of the way, for a person to look at. SpoolError."""
        try:
            set_aside(pending.place, self.layout)
        except OSError as exc:
            raise disk_error(exc) from exc
        self._used -= pending.size_bytes

    def damaged_count(self) -> int:
        """Segments set aside."""
        return sum(1 for path in self.layout.damaged.iterdir() if path.suffix in (PART, READY))


def disk_error(exc: OSError) -> SpoolError:
    """SpoolError in a person's words; the path is left out."""
    return SpoolError(f"The spool cannot be written or read ({os.strerror(exc.errno or 5)}).", "Check the disk.")


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SpoolBusyError(
            f"Another recorder uses the spool {path.parent}.", "Stop it, or give this one a directory of its own."
        ) from None
    return descriptor
