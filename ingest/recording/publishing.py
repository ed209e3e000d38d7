"""Hands finished segments to the uploader: at once, or after a sync where a power cut must lose none of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.ids import CameraId
from ingest.recording.segment import Done
from ingest.spool import Pending, Spool, SpoolError, disk_error
from runtime.private_files import sync_directory
from runtime.problems import Problems

SYNC_EVERY_S = 0.5
SYNCING = "syncing"


@dataclass(slots=True)
class _Syncing:
    done: Done
    camera_id: CameraId
    synced: bool = False


class Publishing:
    """Publishes a camera's segments in order; its position never runs ahead of the disk."""

    def __init__(self, spool: Spool, problems: Problems, offer: Callable[[Pending], None]) -> None:
        self._spool, self._problems, self._offer = spool, problems, offer
        self._waiting: dict[CameraId, list[_Syncing]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def publish(self, done: Done, camera_id: CameraId) -> None:
        """Publish a finished segment. SpoolError: the disk refuses; the caller then recovers the segment."""
        if not self._spool.fsync:
            self._offer(self._spool.publish(done.file, camera_id, done.position))
            return
        try:
            descriptors = done.file.duplicate()
        except OSError as exc:
            raise disk_error(exc) from exc
        item = _Syncing(done, camera_id)
        self._waiting.setdefault(camera_id, []).append(item)
        task = asyncio.create_task(self._sync(item, descriptors), name="publish")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def settle(self, camera_id: CameraId) -> None:
        """Publish all finished segments of the camera before returning, syncing them if necessary. SpoolError."""
        for item in list(self._waiting.get(camera_id, ())):
            if not item.synced:
                try:
                    item.done.file.sync()
                    sync_directory(self._spool.layout.segments)
                except OSError as exc:
                    self._give_up(item, disk_error(exc))
                    continue
                item.synced = True
        self._publish_synced(camera_id)

    def settle_all(self) -> None:
        """Settle every camera. SpoolError."""
        for camera_id in list(self._waiting):
            self.settle(camera_id)

    async def sync(self) -> None:
        """Sync the open segments. Called every SYNC_EVERY_S, the most that a power cut loses. SpoolError."""
        try:
            dirty = [file for file in self._spool.open_files() if file.dirty]
            descriptors = []
            for file in dirty:
                descriptors.append(file.duplicate())
                file.dirty = False
            if dirty:
                await asyncio.to_thread(_sync_and_close, self._spool.layout.segments, *descriptors)
        except OSError as exc:
            raise disk_error(exc) from exc

    async def finished(self) -> None:
        """Wait until everything is published or given up."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _sync(self, item: _Syncing, descriptors: tuple[int, int]) -> None:
        try:
            await asyncio.to_thread(_sync_and_close, self._spool.layout.segments, descriptors)
        except OSError as exc:
            self._give_up(item, disk_error(exc))
        item.synced = True
        self._publish_synced(item.camera_id)

    def _publish_synced(self, camera_id: CameraId) -> None:
        waiting = self._waiting.get(camera_id, [])
        while waiting and waiting[0].synced:
            item = waiting[0]
            try:
                self._offer(self._spool.publish(item.done.file, camera_id, item.done.position))
            except SpoolError as error:
                self._give_up(item, error)
            else:
                waiting.pop(0)
        if not waiting:
            self._waiting.pop(camera_id, None)

    def _give_up(self, item: _Syncing, error: SpoolError) -> None:
        """Leave a whole segment to recovery, which publishes it once the disk accepts that."""
        waiting = self._waiting.get(item.camera_id, [])
        if item in waiting:
            waiting.remove(item)
            self._spool.abandon(item.done.file)
            self._problems.note(SYNCING, error)


def _sync_and_close(folder: Path, *pairs: tuple[int, int]) -> None:
    """Sync the files, and their names in ``folder``."""
    descriptors = [descriptor for pair in pairs for descriptor in pair]
    try:
        for descriptor in descriptors:
            os.fdatasync(descriptor)
        sync_directory(folder)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
