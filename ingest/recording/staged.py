"""Records into a separate spool, which a later recorder uploads: the footage stays invisible until it is complete."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from domain.ids import CameraId, SiteId
from domain.time import Span
from ingest.recording.camera import CameraRecording
from ingest.recording.segment import Done, OpenSegment
from ingest.spool import Spool
from runtime.settings import SpoolSettings
from storage.keys import HourKeyCache, RecorderIdentity

EPOCH = 0
"""Lower than every recorder's epoch: where both have footage of a time the recorder's is shown, in either order."""


@contextlib.contextmanager
def staged_recording(
    settings: SpoolSettings, site_id: SiteId, camera_id: CameraId, keys: HourKeyCache, identity: RecorderIdentity
) -> Iterator[CameraRecording]:
    """Record into a new spool directory, without uploading. After a SpoolError the caller deletes the directory."""
    spool = Spool(settings)
    try:
        yield CameraRecording(
            site_id, camera_id, spool, keys, identity, _Staging(spool), epoch=EPOCH, mono_ns=time.monotonic_ns
        )
    finally:
        for file in spool.open_files():
            spool.abandon(file)
        spool.close()


class _Staging:
    """Keeps finished segments where ``open_recorder()`` finds them."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def publish(self, done: Done, camera_id: CameraId) -> None:
        """Sync and publish in place: an import has no other camera that a slow disk could hold up."""
        if self._spool.fsync:
            done.file.sync()
        self._spool.publish(done.file, camera_id, done.position)

    def settle(self, camera_id: CameraId) -> None:
        """Publishing does not wait here."""

    def recover_open(self, segment: OpenSegment, camera_id: CameraId) -> int:
        self._spool.abandon(segment.file)
        return segment.start_ns

    def make_room(self, wanted_bytes: int) -> None:
        self._spool.check_room(wanted_bytes)

    def gaps_wait(self) -> None:
        """Nothing to wake: the gaps are in the journal for a later recorder."""

    def resumed(self, camera_id: CameraId, until_ns: int, gaps: Sequence[Span], *, known: bool) -> None:
        """An import begins anew after a power cut."""
