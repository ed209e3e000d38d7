"""One camera's recording: segments and gaps tile its time without a hole, whatever happens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol
from uuid import uuid4

from domain.footage import LEASE_SHIFT, Codec, Gap, GapCause
from domain.ids import CameraId, SegmentId, SiteId
from domain.time import Span
from ingest.recording.errors import AccountedError
from ingest.recording.segment import Done, OpenSegment
from ingest.spool import Beginning, CameraPosition, Spool, SpoolError, SpoolFullError, disk_error
from storage.keys import HourKeyCache, PublicHourKey, RecorderIdentity
from storage.sealed import Plaintext, Sealer, SegmentFullError, chunk_log2_for

_SEAL_AFTER_NS = 900_000_000
_EXPECTED_S = 10
_AHEAD_NS = 10_000_000_000


class Publisher(Protocol):
    """The services that a camera's recording gets from its recorder."""

    def publish(self, done: Done, camera_id: CameraId) -> None:
        """Hand a finished segment to the uploader, synced before where the settings ask for it. SpoolError."""
        ...

    def settle(self, camera_id: CameraId) -> None:
        """Publish the camera's finished segments that still wait for a sync. SpoolError."""
        ...

    def recover_open(self, segment: OpenSegment, camera_id: CameraId) -> int:
        """Recover a segment whose file can no longer be written. Returns the end of its footage."""
        ...

    def make_room(self, wanted_bytes: int) -> None:
        """Make room in the spool by the operator's policy. SpoolFullError, SpoolError."""
        ...

    def gaps_wait(self) -> None:
        """Wake the committer: the journal holds gaps."""
        ...

    def resumed(self, camera_id: CameraId, until_ns: int, gaps: Sequence[Span], *, known: bool) -> None:
        """Look whether time before ``until_ns`` was lost: see LostTime."""
        ...


class CameraRecording:
    """Takes gaps by ``missing()`` and segments, in turn. accounted_ns: end of the accounted time; None: none yet."""

    def __init__(
        self,
        site_id: SiteId,
        camera_id: CameraId,
        spool: Spool,
        keys: HourKeyCache,
        identity: RecorderIdentity,
        publisher: Publisher,
        *,
        epoch: int,
        mono_ns: Callable[[], int],
    ) -> None:
        self._site_id, self.camera_id = site_id, camera_id
        self._spool, self._keys, self._identity, self._publisher = spool, keys, identity, publisher
        self._mono_ns = mono_ns
        self._position = _loaded(spool, camera_id)
        self._epoch = max(epoch, self._position.epoch)
        self._segment: OpenSegment | None = None
        self._bits_per_s = 4_000_000.0
        self.accounted_ns = self._position.end_ns
        self.leased = False
        self.segments = 0
        self.gaps = 0

    @property
    def open(self) -> bool:
        """Whether a segment is being recorded."""
        return self._segment is not None

    @property
    def recorded_ns(self) -> int | None:
        """End of the last footage or gap, the open segment included."""
        return self._segment.end_ns if self._segment is not None else self.accounted_ns

    @property
    def segment_start_ns(self) -> int:
        """Of the open segment."""
        return self._current().start_ns

    def resume(self, now_ns: int) -> int:
        """Record as a gap the time in which the recorder did not run. Call once, at its start.

        Returns for how many nanoseconds to come there already is footage, filed by a clock that was ahead; that time is
        recorded again, in the next epoch. Normally 0.
        """
        cause = GapCause.STOPPED if self._position.orderly else GapCause.CRASH
        found, known = self._spool.accounted(self.camera_id), self.accounted_ns is not None
        until_ns = next(
            (ns for ns in (self.accounted_ns, *(span.start_ns for span in found)) if ns is not None), now_ns
        )
        for span in found:
            if self.accounted_ns is None:
                self.accounted_ns = span.start_ns
            self.missing(span.start_ns, GapCause.CRASH)
            self.accounted_ns = max(self.accounted_ns, span.end_ns)
        if self.accounted_ns is None:
            self.accounted_ns = now_ns
            self._save_position(orderly=False)
        elif self.accounted_ns > now_ns + _AHEAD_NS:
            ahead_ns = self.accounted_ns - now_ns
            self.set_back(now_ns)
            return ahead_ns
        else:
            self.missing(now_ns, cause)
        self._publisher.resumed(self.camera_id, min(until_ns, now_ns), found, known=known)
        return 0

    def missing(self, until_ns: int, cause: GapCause, detail: str = "") -> None:
        """Record a gap from the end of the accounted time until ``until_ns``, if there is any such time.

        Durable on return unless the disk refuses. ``detail``: no personal data, no secrets. ValueError: a segment is
        open.
        """
        if self._segment is not None:
            raise ValueError("a gap in the middle of a segment")
        if self.accounted_ns is None:
            self.accounted_ns = until_ns
        if until_ns <= self.accounted_ns:
            return
        self._publisher.settle(self.camera_id)
        span = Span(self.accounted_ns, until_ns)
        self._spool.gaps.append(Gap(camera_id=self.camera_id, span=span, cause=cause, detail=detail))
        self.accounted_ns = until_ns
        self.gaps += 1
        self._save_position(orderly=False)
        self._publisher.gaps_wait()

    def begin_epoch(self) -> None:
        """Begin a new epoch after a step of the clock, so that footage before and after it can be distinguished.

        ValueError: a segment is open.
        """
        if self._segment is not None:
            raise ValueError("the clock is set in the middle of a segment")
        self._epoch += 1
        self._save_position(orderly=False)

    def adopt_lease(self, lease: int) -> None:
        """The database gave this recorder the camera: from the next segment on epochs begin with the lease's number."""
        self.leased = True
        if self._epoch >> LEASE_SHIFT != lease:
            self._epoch = lease << LEASE_SHIFT
            self._position = replace(self._position, epoch=self._epoch)  # on disk with the next segment

    def set_back(self, until_ns: int) -> None:
        """Begin a new epoch after the clock was set back: only time until ``until_ns`` counts as accounted for.

        Footage that the new epoch overlaps becomes shadow rows, and so do epochs that began after ``until_ns``.
        ValueError: a segment is open.
        """
        self.accounted_ns = until_ns
        self.begin_epoch()

    def make_room(self, wanted_bytes: int) -> None:
        """Make room in the spool by the operator's policy. SpoolFullError, SpoolError."""
        self._publisher.make_room(wanted_bytes)

    def admit(self, start_ns: int) -> PublicHourKey:
        """Return the key for a segment that begins at this time.

        NoHourKeyError, SpoolFullError, SpoolError: no segment can be opened now.
        """
        hour_key = self._keys.key_for(self.camera_id, start_ns)
        self.make_room(int(self._bits_per_s / 8 * _EXPECTED_S))
        return hour_key

    def begin(self, start_ns: int, codec: Codec, init: bytes) -> None:
        """Open a segment. NoHourKeyError, SpoolFullError, SpoolError, AccountedError: nothing was opened.

        Time between ``accounted_ns`` and ``start_ns`` becomes a gap; a camera's segments never overlap.
        """
        if self._segment is not None:
            raise ValueError("a segment is open")
        if self.accounted_ns is not None and start_ns < self.accounted_ns:
            raise AccountedError(
                f"Footage of camera {self.camera_id} begins {self.accounted_ns - start_ns} ns too early.",
                "The clock was set back, or the camera sends footage twice.",
            )
        hour_key = self.admit(start_ns)
        self.missing(start_ns, GapCause.STARTING)
        expected = int(self._bits_per_s / 8 * _EXPECTED_S)
        segment_id = SegmentId(uuid4())
        sealer = Sealer(
            site_id=self._site_id,
            camera_id=self.camera_id,
            segment_id=segment_id,
            hour_key=hour_key,
            start_ns=start_ns,
            chunk_log2=chunk_log2_for(self._bits_per_s),
        )
        beginning = Beginning(
            site_id=self._site_id,
            camera_id=self.camera_id,
            segment_id=segment_id,
            start_ns=start_ns,
            codec=codec,
            init_size=len(init),
            epoch=self._epoch,
            init_sha256=hashlib.sha256(init).digest(),
        )
        file = self._spool.begin(beginning, sealer.header, expected_bytes=expected)
        try:
            self._segment = OpenSegment(sealer, file, start_ns, init, self._spool.grown)
        except SpoolError:
            self._spool.discard(file)
            raise

    def append(self, pieces: Sequence[Plaintext], start_ns: int, end_ns: int, *, key: bool, frames: int) -> None:
        """Append a whole fragment. Its pieces are never changed afterwards.

        SpoolError, SpoolFullError, SegmentFullError: the segment has ended with what is on the disk.
        """
        segment = self._current()
        try:
            self.make_room(sum(map(len, pieces)))
            segment.append(pieces, start_ns, end_ns, key=key, frames=frames, mono_ns=self._mono_ns())
        except (SpoolFullError, SegmentFullError):
            self.finish(segment.end_ns)
            raise
        except SpoolError:
            self._abandon(segment)
            raise

    def tick(self) -> None:
        """Seal what has waited in memory too long. Call a few times a second. SpoolError as ``append()``."""
        if self._segment is None:
            return
        try:
            self._segment.tick(self._mono_ns(), _SEAL_AFTER_NS)
        except SpoolError:
            self._abandon(self._segment)
            raise

    def finish(self, end_ns: int) -> None:
        """End the open segment, if there is one. SpoolError as ``append()``."""
        segment = self._segment
        if segment is None:
            return
        if segment.frames == 0:
            self._segment = None
            self._spool.discard(segment.file)
            return
        duration_s = max(0.5, (end_ns - segment.start_ns) / 1e9)
        self._bits_per_s = segment.size_bytes * 8 / duration_s
        try:
            done = segment.finish(end_ns, self._identity, self._position)
            self._publisher.publish(done, self.camera_id)
        except SpoolError:
            self._abandon(segment)
            raise
        self._segment = None
        self._position = done.position
        self.accounted_ns = end_ns
        self.segments += 1

    def stop(self, now_ns: int) -> None:
        """Record an orderly stop in the position, so that the gap until the next start has that cause."""
        self.missing(now_ns, GapCause.STOPPED)
        self._save_position(orderly=True)

    def _current(self) -> OpenSegment:
        if self._segment is None:
            raise ValueError("no segment is open")
        return self._segment

    def reload_position(self) -> None:
        """Load the last trailer after a file of this camera was recovered: the next segment continues its chain."""
        self._position = replace(
            self._position, trailer_sha256=self._spool.positions.load(self.camera_id).trailer_sha256
        )

    def _abandon(self, segment: OpenSegment) -> None:
        self._segment = None
        self.accounted_ns = self._publisher.recover_open(segment, self.camera_id)
        self.reload_position()

    def _save_position(self, *, orderly: bool) -> None:
        self._publisher.settle(self.camera_id)
        self._position = replace(self._position, end_ns=self.accounted_ns, orderly=orderly, epoch=self._epoch)
        try:
            self._spool.positions.save(self.camera_id, self._position)
        except OSError:
            return  # the disk refuses: the next published segment or gap saves the position


def _loaded(spool: Spool, camera_id: CameraId) -> CameraPosition:
    try:
        return spool.positions.load(camera_id)
    except OSError as exc:
        raise disk_error(exc) from exc
