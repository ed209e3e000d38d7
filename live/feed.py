"""What one camera sends now: read from its recorder while it is watched, and handed to all viewers.

Recording never waits for this: the recorder leaves out what this process does not take in time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from domain.errors import TallenneError
from domain.ids import CameraId
from live.protocol import Kind, Picture, Stream, pack_message, read_frame, read_message, read_picture, read_stream
from live.settings import FEEDS, REPLAY_MAX_NS
from live.sockets import connect
from live.viewer import Viewer, condensed, reorder_depth

_log = logging.getLogger(__name__)
AGAIN_S: Final = 0.5
_GROUP_MAX_BYTES: Final = 8 << 20
_ANSWER_S: Final = 5.0
_LINGER_S: Final = 2.0
"""So long pictures are still read after the last viewer has left: the next one is often the same, by the other way."""


class Feed:
    """One camera's pictures. ``stream``: what decodes them, None before the first; ``depth``: see reorder_depth()."""

    def __init__(self, camera_id: CameraId, run_directory: Path, uids: Collection[int], *, small: bool = False) -> None:
        """small: of the camera's second stream, where it has one"""
        self.camera_id, self._small = camera_id, small
        self.stream: Stream | None = None
        self.depth = 0
        self.begun = asyncio.Event()  # the last group of pictures is known
        self._run_directory, self._uids = run_directory, uids
        self._group: list[Picture] = []
        self._group_bytes = 0
        self._viewers: set[Viewer] = set()

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    def join(self, viewer: Viewer) -> None:
        """Begin with the last group of pictures, as soon as there is one."""
        self._viewers.add(viewer)
        if self.stream is not None:
            viewer.push(self.stream)
            self._begin(viewer)

    def leave(self, viewer: Viewer) -> None:
        """It gets nothing more."""
        self._viewers.discard(viewer)

    async def run(self) -> None:
        """Read until cancelled, whatever becomes of the recorder."""
        while True:
            with contextlib.suppress(TallenneError, OSError, TimeoutError):
                async with asyncio.timeout(_ANSWER_S):
                    found = await self._recorder()
                if found is not None:
                    reader, writer = found
                    with contextlib.closing(writer):
                        while (frame := await read_frame(reader)) is not None:
                            self.take(*frame)
            self._stopped()
            await asyncio.sleep(AGAIN_S)

    async def _recorder(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Connect to the recorder that has the camera; None: no recorder here has it now."""
        for path in sorted(self._run_directory.glob(FEEDS)):
            try:
                reader, writer = await connect(path, self._uids)
            except (TallenneError, OSError) as error:
                _log.debug("no pictures from %s: %s", path.name, error)
                continue
            here = False
            try:
                writer.write(pack_message({"camera_id": str(self.camera_id), "small": self._small}))
                frame = await read_frame(reader)
                here = frame is not None and frame[0] is Kind.MESSAGE and bool(read_message(frame[1]).get("here"))
            finally:
                if not here:
                    writer.close()
            if here:
                return reader, writer
        return None

    def take(self, kind: Kind, body: bytes) -> None:
        """Hand on what the recorder says. FrameError."""
        if kind is Kind.STREAM:
            self.stream = read_stream(body)
            self._push(self.stream)
        elif kind is Kind.PICTURE:
            self._picture(read_picture(body))
        elif kind is Kind.MESSAGE and "stream" in read_message(body):
            self._turned()
        elif kind is Kind.MESSAGE:
            self._stopped()

    def _picture(self, picture: Picture) -> None:
        if picture.key:
            self._group.clear()
            self._group_bytes = 0
        self._group_bytes += len(picture.data)
        began_ns = self._group[0].mono_ns if self._group else picture.mono_ns
        long = self._group_bytes > _GROUP_MAX_BYTES or picture.mono_ns - began_ns > REPLAY_MAX_NS
        if long or not (picture.key or self._group):
            self._group.clear()  # the next viewer waits for the next key frame
        else:
            self._group.append(picture)
        if picture.replayed:
            return
        if not self.begun.is_set():
            self.begun.set()
            self.depth = max(self.depth, reorder_depth(self._group))
            for viewer in self._viewers:
                self._begin(viewer)
            return
        self.depth = max(self.depth, reorder_depth(self._group[-4:]))
        self._push(picture)

    def _begin(self, viewer: Viewer) -> None:
        if self.begun.is_set():
            for picture in condensed(self._group):
                viewer.push(picture)

    def _push(self, item: Stream | Picture | None) -> None:
        for viewer in self._viewers:
            viewer.push(item)

    def _turned(self) -> None:
        """The camera's other stream follows: viewers go on with its last group of pictures."""
        self.begun.clear()
        self.depth = 0
        self._group.clear()
        self._group_bytes = 0

    def _stopped(self) -> None:
        if self.begun.is_set():
            self.begun.clear()
            self._push(None)
        self._group.clear()
        self._group_bytes = 0


class Feeds:
    """The feeds of the cameras that are watched now."""

    def __init__(self, run_directory: Path, uids: Collection[int]) -> None:
        self._run_directory, self._uids = run_directory, uids
        self._running: dict[tuple[CameraId, bool], tuple[Feed, asyncio.Task[None]]] = {}

    @property
    def cameras(self) -> int:
        """How many cameras are read now."""
        return len({camera_id for camera_id, _ in self._running})

    @asynccontextmanager
    async def watch(self, camera_id: CameraId, viewer: Viewer, *, small: bool = False) -> AsyncIterator[Feed]:
        """The camera's feed, which pushes to ``viewer`` until the end of the block. small: see Feed"""
        key = camera_id, small
        if key not in self._running:
            feed = Feed(camera_id, self._run_directory, self._uids, small=small)
            self._running[key] = feed, asyncio.create_task(feed.run(), name=f"feed {camera_id}")
        feed, _ = self._running[key]
        feed.join(viewer)
        try:
            yield feed
        finally:
            feed.leave(viewer)
            asyncio.get_running_loop().call_later(_LINGER_S, self._end_unwatched, key, feed)

    def _end_unwatched(self, key: tuple[CameraId, bool], feed: Feed) -> None:
        found = self._running.get(key)
        if found is not None and found[0] is feed and not feed.viewers:
            found[1].cancel()
            del self._running[key]

    async def close(self) -> None:
        """End all of them."""
        tasks = [task for _, task in self._running.values()]
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
