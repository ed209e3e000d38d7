"""Hands what a camera sends to the role `live` while it is watched. Recording never waits for it.

Each watcher is a connection with a bounded buffer: while it is full, pictures are left out, up to the next key frame.
The last group of pictures is kept in memory for each camera, so that a viewer need not wait for a key frame.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from domain.ids import CameraId
from ingest.access_unit import AccessUnit, Loss, VideoParameters
from ingest.errors import IngestError
from ingest.media.init import make_init
from live.protocol import Kind, Stream, pack_message, pack_stream, picture_head, read_frame, read_message
from live.settings import REPLAY_MAX_NS
from live.sockets import listening

_log = logging.getLogger(__name__)
GROUP_MAX_BYTES: Final = 4 << 20
"""A longer group of pictures is not kept, nor one of more than REPLAY_MAX_NS: a viewer waits for the next key frame."""
WAITING_MAX_BYTES: Final = 4 << 20
FRESH_NS: Final = 500_000_000
"""An older picture is not live: a new watcher waits for the next."""
_REQUEST_MAX: Final = 1 << 10
_REQUEST_S: Final = 5.0


class CameraFeed:
    """One camera's pictures for those who watch. ``hurry``: called when the first one comes and the last one goes."""

    def __init__(self, hurry: Callable[[], None]) -> None:
        self._hurry = hurry
        self._group: list[AccessUnit] = []
        self._group_bytes = 0
        self._codec = ""
        self._placed = False
        self._watchers: set[Watcher] = set()

    @property
    def watched(self) -> bool:
        """Whether there is a watcher."""
        return bool(self._watchers)

    @property
    def codec(self) -> str:
        """The last key frame and what followed it; empty before the first."""
        return self._codec

    def take(self, batch: Sequence[AccessUnit | Loss], *, placed: bool) -> None:
        """Take what was recorded together. placed: its times are the recorder's clock's by now"""
        for item in batch:
            if isinstance(item, Loss):
                continue
            if item.key:
                self._group, self._group_bytes, self._codec = [item], len(item.data), item.parameters.codec
            elif self._group:
                self._group.append(item)
                self._group_bytes += len(item.data)
                if self._group_bytes > GROUP_MAX_BYTES or item.mono_ns - self._group[0].mono_ns > REPLAY_MAX_NS:
                    self._group = []
        self._placed = placed
        if placed:
            for watcher in self._watchers:
                watcher.take(batch, self._group)

    def lost(self) -> None:
        """The connection to the camera is lost."""
        self.forget()
        for watcher in self._watchers:
            watcher.lost()

    def forget(self) -> None:
        """What comes next does not continue what came."""
        self._group, self._codec = [], ""

    def join(self, watcher: Watcher) -> None:
        """It gets what comes from now on, and the last group of pictures first."""
        self._watchers.add(watcher)
        self._hurry()
        if self._placed and self._group and time.monotonic_ns() - self._group[-1].mono_ns < FRESH_NS:
            watcher.take((), self._group)  # rather than with the next picture: that may be most of a second away

    def leave(self, watcher: Watcher) -> None:
        """It gets nothing more."""
        self._watchers.discard(watcher)
        self._hurry()

    def close(self) -> None:
        """The camera is recorded no more, or by another source from now on."""
        self.lost()
        for watcher in self._watchers:
            watcher.close()


class Watcher:
    """The connection of one that watches. ``left_out``: pictures that it was too slow for."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._parameters: VideoParameters | None = None
        self._begun = False
        self._skipping = False
        self.left_out = 0

    def take(self, batch: Sequence[AccessUnit | Loss], group: Sequence[AccessUnit]) -> None:
        """Send pictures. ``group``: the last group of pictures, which ends with the batch"""
        if self._begun:
            for item in batch:
                if not isinstance(item, Loss):
                    self._send(item, replayed=False)
        elif group:
            self._begun = True
            for unit in group[:-1]:
                self._send(unit, replayed=True)
            self._send(group[-1], replayed=False)

    def lost(self) -> None:
        """Say that no pictures come for now."""
        if self._begun:
            self._begun, self._parameters = False, None
            self._writer.write(pack_message({"state": "away"}))

    def turn(self, stream: str) -> None:
        """The camera's other stream follows, from its last key frame on: "sub" or "recorded"."""
        if self._begun:
            self._writer.write(pack_message({"stream": stream}))
        self._begun, self._parameters, self._skipping = False, None, False

    def close(self) -> None:
        """End the connection."""
        self._writer.close()

    def _send(self, unit: AccessUnit, *, replayed: bool) -> None:
        writer = self._writer
        full = writer.transport.get_write_buffer_size() > WAITING_MAX_BYTES
        self._skipping = full or (self._skipping and not unit.key)
        if self._skipping:
            self.left_out += 1
            return
        if unit.parameters is not self._parameters:
            if unit.parameters != self._parameters and not self._describe(unit.parameters):
                self._skipping = True
                return
            self._parameters = unit.parameters
        head = picture_head(
            size_bytes=len(unit.data),
            pts_ticks=unit.pts_ticks,
            mono_ns=unit.mono_ns,
            key=unit.key,
            damaged=unit.damaged,
            replayed=replayed,
        )
        writer.writelines((head, unit.data))

    def _describe(self, parameters: VideoParameters) -> bool:
        try:
            codec, init = make_init(parameters)
        except IngestError:
            return False  # the recording reports it
        sets = (parameters.vps, *parameters.more_vps, parameters.sps, *parameters.more_sps, *parameters.pps)
        stream = Stream(codec=codec.name, mime=codec.mime, init=init, sets=tuple(filter(None, sets)))
        self._writer.write(pack_stream(stream))
        return True


class Watched(Protocol):
    """What a watcher joins."""

    def join(self, watcher: Watcher) -> None:
        """Begin."""
        ...

    def leave(self, watcher: Watcher) -> None:
        """End."""
        ...


class Feeding:
    """Serves the role `live`.

    ``find``: a camera's pictures, of its second stream where that is wanted and there is one; None where this recorder
    does not have the camera
    """

    def __init__(self, find: Callable[[CameraId, bool], Watched | None]) -> None:
        self._find = find
        self.left_out = 0

    async def run(self, path: Path, uids: Collection[int]) -> None:
        """Listen until cancelled. SocketError, OSError."""
        async with listening(path, uids, self._serve):
            await asyncio.Event().wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_REQUEST_S):
            frame = await read_frame(reader, _REQUEST_MAX)
        if frame is None or frame[0] is not Kind.MESSAGE:
            return
        asked = read_message(frame[1])
        feed = self._find(_camera(asked), asked.get("small") is True)
        writer.write(pack_message({"here": feed is not None}))
        if feed is None:
            return
        watcher = Watcher(writer)
        feed.join(watcher)
        try:
            while await reader.read(1 << 10):
                pass
        finally:
            feed.leave(watcher)
            self.left_out += watcher.left_out


def _camera(body: dict[str, object]) -> CameraId:
    try:
        return CameraId(UUID(str(body.get("camera_id"))))
    except ValueError:
        return CameraId(UUID(int=0))
