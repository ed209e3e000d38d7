"""Recording that stays invisible until it is whole: sealed into a spool of its own, uploaded by a later recorder."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from domain.ids import CameraId, SiteId
from ingest.recording.camera import CameraRecording
from ingest.recording.segment import Done, OpenSegment
from ingest.spool import Spool
from runtime.settings import SpoolSettings
from storage.keys import HourKeyCache, RecorderIdentity

EPOCH = 0
"""Below every recorder's: where both have footage of a time, the recorder's is shown, whichever comes first."""


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
        """They are in the journal."""
