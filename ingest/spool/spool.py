"""The spool: sealed files on the local disk, from their first byte until the catalogue has their row.

A finished segment is accepted once its file is named ``.tlns``. It leaves the spool only by ``remove()``, after it was
stored, verified and committed or given up by the policy for a full spool, or to ``damaged/``.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from domain.footage import Gap, GapCause
from domain.ids import CameraId
from domain.time import Span, subtract_spans
from ingest.spool import recovery
from ingest.spool.errors import DamagedSpoolFileError, SpoolBusyError, SpoolError, SpoolFullError
from ingest.spool.files import write_all
from ingest.spool.gaps import GapJournal
from ingest.spool.layout import PART, READY, Place, SpoolLayout, place_of
from ingest.spool.metadata import Beginning, SegmentMetadata, dropped_record, journal_of, stored_record
from ingest.spool.positions import CameraPosition, CameraPositions
from ingest.spool.recovery import RecoveryOutcome, RecoveryResult
from ingest.spool.segment_file import SegmentFile
from ingest.spool.spares import MOST, Spares
from runtime.failpoints import hit
from runtime.locks import FileLock
from runtime.settings import SpoolSettings
from storage.keys import RecorderIdentity
from storage.sealed import HEADER_SIZE, TRAILER_SIZE, RefusedError
from storage.sealed.format import parse_header, parse_trailer

_ASK_DISK_S = 0.5


@dataclass(frozen=True, slots=True, order=True)
class Pending:
    """A finished segment in the spool. Ordered by start; the facts for its row are read when they are needed."""

    place: Place
    size_bytes: int  # of both files


class Spool:
    """The spool of one recorder. Not thread-safe, except where a method says so."""

    def __init__(self, settings: SpoolSettings) -> None:
        """Create and lock the directory. SpoolBusyError, SpoolError."""
        self._settings = settings
        self.layout = SpoolLayout(settings.directory)
        self._open: dict[Place, SegmentFile] = {}
        self._sizes: dict[Place, int] = {}
        self._used = 0
        self._asked_s = -_ASK_DISK_S
        self._left_bytes = 0
        self._postponed: dict[Place, RecoveryResult] = {}
        self._left: set[Place] | None = None  # files that may be torn; None: the directory was not read yet
        with contextlib.ExitStack() as undo:
            try:
                self.layout.make()
                self._lock = FileLock(self.layout.lock, self._in_use)
                undo.enter_context(self._lock)
                self.positions = CameraPositions(self.layout.cameras, sync=settings.fsync)
                self._spares = Spares(self.layout.spare, 0 if settings.fsync else MOST)
                self.gaps = GapJournal(self.layout.gaps, sync=settings.fsync)
                undo.callback(self.gaps.close)
                if settings.fsync:
                    self.layout.sync()
            except OSError as exc:
                raise SpoolError(
                    f"The spool {settings.directory} cannot be used ({exc.strerror}).", "Check owner, mode and disk."
                ) from exc
            undo.pop_all()

    @property
    def fsync(self) -> bool:
        """Whether files are synced before they count, so that a power cut loses nothing."""
        return self._settings.fsync

    @property
    def used_bytes(self) -> int:
        """Bytes that segments and gaps occupy."""
        return self._used + self.gaps.size_bytes

    @property
    def max_bytes(self) -> int:
        """Bytes that the spool may use."""
        return self._settings.max_bytes

    def close(self) -> None:
        """Close the gap journal and release the lock."""
        self.gaps.close()
        self._lock.release()

    # -- Recording

    def begin(self, beginning: Beginning, header: bytes, *, expected_bytes: int) -> SegmentFile:
        """Create a segment's files.

        SpoolFullError: there is no room, nothing was written. SpoolError: the disk refuses.
        """
        self.check_room(expected_bytes)
        place = Place(self.layout.segments, beginning.start_ns, beginning.segment_id)
        try:
            file = SegmentFile(place, beginning, header, expected_bytes=expected_bytes, spares=self._spares)
        except OSError as exc:
            self._leave(place)
            raise disk_error(exc) from exc
        self._open[place] = file
        self._count(place, file.size_bytes)
        return file

    def check_room(self, wanted_bytes: int) -> None:
        """SpoolFullError unless ``wanted_bytes`` fit below both limits: the spool's own and the disk's reserve."""
        if self.used_bytes + wanted_bytes > self._settings.max_bytes:
            raise SpoolFullError(
                f"The spool is full ({self.used_bytes} of {self._settings.max_bytes} bytes).",
                "Check the object store and the database, or configure a larger spool.",
            )
        if self._disk_left(wanted_bytes) < self._settings.reserve_bytes + wanted_bytes:
            raise SpoolFullError(
                f"The spool's disk has less than {self._settings.reserve_bytes >> 20} MiB left.", "Make room on it."
            )

    def room_bytes(self) -> int:
        """Free bytes now, below both limits; 0 when the disk cannot be asked."""
        try:
            disk = os.statvfs(self.layout.directory)
        except OSError:
            return 0
        free = disk.f_bavail * disk.f_frsize - self._settings.reserve_bytes
        return min(self._settings.max_bytes - self.used_bytes, free)

    def _disk_left(self, wanted_bytes: int) -> int:
        """Return the disk's free bytes as of a moment ago, less what was requested since."""
        now_s = time.monotonic()
        if now_s - self._asked_s > _ASK_DISK_S or self._left_bytes < self._settings.reserve_bytes + wanted_bytes:
            try:
                disk = os.statvfs(self.layout.directory)
            except OSError as exc:
                raise disk_error(exc) from exc
            self._asked_s, self._left_bytes = now_s, disk.f_bavail * disk.f_frsize
        left_bytes = self._left_bytes
        self._left_bytes -= wanted_bytes
        return left_bytes

    def grown(self, file: SegmentFile) -> None:
        """Account for what was appended to an open segment."""
        self._count(file.place, file.size_bytes)

    def open_files(self) -> list[SegmentFile]:
        """Number of segments that are being written."""
        return list(self._open.values())

    def publish(self, file: SegmentFile, camera_id: CameraId, position: CameraPosition) -> Pending:
        """Make a finished segment visible to the uploader, after a sync if configured. SpoolError.

        The new name need not be synced: a whole file under its old name is published at the next start.
        """
        place = file.place
        file.close()
        try:
            self.positions.save(camera_id, position)
            hit("spool.publish.position")
            place.part.rename(place.ready)
            hit("spool.publish.rename")
        except OSError as exc:
            raise disk_error(exc) from exc
        self._open.pop(place, None)
        return Pending(place, file.size_bytes)

    def abandon(self, file: SegmentFile) -> None:
        """Close an open segment whose file can no longer be written; ``recover()`` does the rest."""
        file.close()
        self._open.pop(file.place, None)
        self._leave(file.place)

    def discard(self, file: SegmentFile) -> None:
        """Delete an open segment without a fragment. What cannot be deleted is recovered later."""
        self.abandon(file)
        file.remove()
        self._count(file.place, 0)

    # -- After a crash or a disk failure

    def torn(self) -> list[Place]:
        """Return the torn files, oldest first: begun, not finished, and no longer written. OSError.

        The directory, which may hold weeks of footage, is read once; from then on what is left is known here.
        """
        if self._left is None:
            found = [place_of(path) for path in self.layout.segments.glob("*" + PART)]
            self._left = {place for place in found if place is not None}
        self._left = {place for place in self._left if place not in self._open and place.part.exists()}
        return sorted(self._left)

    def recover(self, place: Place, identity: RecorderIdentity, *, at_start: bool = False) -> RecoveryResult:
        """Recover one torn file. POSTPONED: the disk refuses writes. SpoolError: the file cannot be read.

        It may run in a thread at the start, but not later, since the camera's position may change meanwhile.
        ``at_start``: footage of earlier files that a power cut took becomes a gap. Recover the oldest file first.
        """
        try:
            plan = recovery.examine(place, self.positions, identity)
        except OSError as exc:
            raise disk_error(exc) from exc
        if at_start and plan.metadata is not None and plan.span is not None:
            self._record_hole(plan.metadata.beginning.camera_id, plan.span.start_ns)
        try:
            result = recovery.apply(plan, self.layout, self.positions, sync=self._settings.fsync)
        except OSError:
            self._postponed[place] = plan.result(RecoveryOutcome.POSTPONED)
            return self._postponed[place]
        self._postponed.pop(place, None)
        return result

    def accounted(self, camera_id: CameraId) -> list[Span]:
        """Return, at a start, the footage and gaps that the camera's position may not include, by time."""
        torn = [item.span for item in self._postponed.values() if item.camera_id == camera_id and item.span]
        return sorted([*torn, *self.gaps.found(camera_id)])

    def _record_hole(self, camera_id: CameraId, until_ns: int) -> None:
        """Account for all time before a file, before the position advances to it."""
        end_ns = self.positions.load(camera_id).end_ns
        if end_ns is None or end_ns >= until_ns:
            return
        for hole in subtract_spans(Span(end_ns, until_ns), self.accounted(camera_id)):
            self.gaps.append(Gap(camera_id=camera_id, span=hole, cause=GapCause.CRASH))

    def adopt(self, result: RecoveryResult) -> Pending | None:
        """Account for the result of ``recover()``. Return the segment to upload, if any. OSError."""
        place = result.place
        if result.outcome is RecoveryOutcome.POSTPONED:
            return None
        left = 0
        if result.outcome in (RecoveryOutcome.PUBLISHED, RecoveryOutcome.RECOVERED):
            left = place.ready.stat().st_size + place.metadata.stat().st_size
        self._count(place, left)
        return Pending(place, left) if left else None

    def waiting(self) -> list[Pending]:
        """Return all finished segments, oldest first, including those whose file was deleted. Recounts. OSError."""
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
        for place in sizes.keys() - ready - self._open.keys():
            if place.part.exists():
                continue
            if _vanished(place):
                ready.add(place)
            else:
                place.metadata.unlink(missing_ok=True)
                sizes[place] = 0
        self._sizes = {place: size for place, size in sizes.items() if size}
        self._used = sum(self._sizes.values())
        return sorted(Pending(place, sizes[place]) for place in ready)

    # -- Uploading

    def metadata_of(self, pending: Pending) -> SegmentMetadata:
        """Read the facts for the row. DamagedSpoolFileError: they cannot be read; SpoolError."""
        try:
            metadata = journal_of(pending.place.metadata.read_bytes(), pending.place.segment_id)
        except FileNotFoundError:
            metadata = None
        except OSError as exc:
            raise disk_error(exc) from exc
        if metadata is None or metadata.ending is None:
            raise DamagedSpoolFileError(
                f"The metadata of spool file {pending.place.stem} cannot be read.",
                f"It is set aside in {self.layout.damaged}.",
            )
        return metadata

    def span_of(self, pending: Pending) -> tuple[CameraId, Span] | None:
        """Read camera and span of a sealed file from its own bytes; None: they do not parse."""
        with contextlib.suppress(OSError, RefusedError, ValueError), pending.place.ready.open("rb") as file:
            core = parse_header(file.read(HEADER_SIZE)).core
            file.seek(-TRAILER_SIZE, os.SEEK_END)
            return core.camera_id, Span(core.start_ns, parse_trailer(file.read(TRAILER_SIZE)).end_ns)
        return None

    def note_stored(self, pending: Pending) -> None:
        """Note that the object store holds the segment: after a restart only its row is missing. SpoolError."""
        self._note(pending, stored_record())
        hit("spool.note.stored")

    def note_dropped(self, pending: Pending) -> None:
        """Note that the segment is given up: a restart completes that. SpoolError."""
        self._note(pending, dropped_record())
        hit("spool.note.dropped")

    def remove(self, pending: Pending) -> None:
        """Delete a committed segment. SpoolError.

        The sealed bytes go first: metadata without them are deleted at the next start.
        """
        try:
            self._spares.put(pending.place.ready)
            hit("spool.remove.sealed")
            self._spares.put(pending.place.metadata)
        except OSError as exc:
            raise disk_error(exc) from exc
        self._count(pending.place, 0)

    def set_aside(self, pending: Pending) -> None:
        """Set the files aside for an operator to examine. SpoolError."""
        try:
            recovery.set_aside(pending.place, self.layout)
        except OSError as exc:
            raise disk_error(exc) from exc
        self._count(pending.place, 0)

    def damaged_count(self) -> int:
        """Number of segments set aside."""
        return sum(1 for path in self.layout.damaged.iterdir() if path.suffix in (PART, READY))

    def _note(self, pending: Pending, record: bytes) -> None:
        try:
            descriptor = os.open(pending.place.metadata, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                hit("spool.note")
                write_all(descriptor, [record])
            finally:
                os.close(descriptor)
        except OSError as exc:
            raise disk_error(exc) from exc

    def _in_use(self, holder: str) -> SpoolBusyError:
        return SpoolBusyError(
            f"Another recorder uses the spool {self.layout.directory} ({holder}).",
            "Stop it, or give this one a directory of its own.",
        )

    def _leave(self, place: Place) -> None:
        if self._left is not None:
            self._left.add(place)

    def _count(self, place: Place, size_bytes: int) -> None:
        self._used += size_bytes - self._sizes.pop(place, 0)
        if size_bytes:
            self._sizes[place] = size_bytes


def disk_error(exc: OSError) -> SpoolError:
    """Return a SpoolError without the path."""
    return SpoolError(f"The spool cannot be written or read ({os.strerror(exc.errno or 5)}).", "Check the disk.")


def _vanished(place: Place) -> bool:
    """Whether this is metadata without a sealed file: a crash between the deletions of remove(), or deleted footage."""
    metadata = journal_of(place.metadata.read_bytes(), place.segment_id)
    return metadata is not None and metadata.ending is not None and not metadata.stored and not metadata.dropped
