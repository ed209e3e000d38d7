"""Live pictures for tests: coded film with strips, a recorder's socket that sends it, and a custodian that agrees."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from custodian.errors import LookRefusedError
from demo.video import strip
from demo.video.encoder import parameter_sets
from domain.ids import CameraId
from ingest.access_unit import AccessUnit, VideoParameters
from ingest.media.init import make_init
from ingest.watched.feeding import CameraFeed, Feeding
from live.protocol import Picture, Stream
from live.settings import feed_socket
from live.webrtc.ports import listen_only_at
from live.webrtc.profiles import add_profiles
from tests.support.cameras.strip_film import film

ME = (os.geteuid(),)


@cache
def units(frames: int = 60, b_frames: int = 0, preset: str = "ultrafast") -> tuple[AccessUnit, ...]:
    """As ingest hands them on; the first picture of every 25 is a key frame."""
    made, parameters = [], None
    for one in film((320, 180), 200_000, frames, b_frames, preset):
        if (sets := parameter_sets(one.nals)) is not None and parameters is None:
            parameters = VideoParameters(codec="h264", sps=sets[0], pps=(sets[1],))
        assert parameters is not None
        nals = [nal for nal in one.nals if nal[0] & 31 not in (7, 8)]
        data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)
        made.append(AccessUnit(data=data, pts_ticks=one.pts_ticks, key=one.key, mono_ns=0, parameters=parameters))
    return tuple(made)


def pictures(frames: int = 60, b_frames: int = 0) -> list[Picture]:
    """The same as the role `live` receives them."""
    return [Picture(data=u.data, pts_ticks=u.pts_ticks, mono_ns=0, key=u.key) for u in units(frames, b_frames)]


def stream_of(parameters: VideoParameters) -> Stream:
    """What describes them."""
    codec, init = make_init(parameters)
    sets = tuple(filter(None, (parameters.vps, parameters.sps, *parameters.pps)))
    return Stream(codec=codec.name, mime=codec.mime, init=init, sets=sets)


class Camera:
    """A recorder's feed of one camera, over its own socket. ``sent``: pictures so far."""

    def __init__(
        self, camera_id: CameraId, b_frames: int = 0, preset: str = "ultrafast", film: Sequence[AccessUnit] = ()
    ) -> None:
        self.camera_id, self.sent, self.hurried, self.small = camera_id, 0, 0, False
        self._film = film or units(75, b_frames, preset)
        self.feed = CameraFeed(self._hurry)

    def _hurry(self) -> None:
        self.hurried += 1

    def _find(self, camera_id: CameraId, small: bool) -> CameraFeed | None:
        self.small = small
        return self.feed if camera_id == self.camera_id else None

    @contextlib.asynccontextmanager
    async def sending(self, run: Path, uids: Sequence[int] = ME, fps: float = 25) -> AsyncIterator[Feeding]:
        """Until the end of the block; the film begins again and again."""
        feeding = Feeding(self._find)
        path = feed_socket(run, "recorder-1")
        tasks = [asyncio.create_task(feeding.run(path, uids)), asyncio.create_task(self._send(fps))]
        try:
            while not path.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            yield feeding
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, fps: float) -> None:
        film_of = self._film
        whole = max(u.pts_ticks for u in film_of) + 7200
        while True:
            for unit in film_of:
                now = time.monotonic_ns()
                pts = unit.pts_ticks + self.sent // len(film_of) * whole
                one = AccessUnit(unit.data, pts, unit.key, now, unit.parameters)
                self.feed.take([one], placed=True)
                self.sent += 1
                await asyncio.sleep(1 / fps)


class Custodian:
    """Agrees until told otherwise. ``asked``: what it was asked, in order."""

    def __init__(self) -> None:
        self.may, self.asked, self.for_s = True, [], 60.0
        self.fails: Exception | None = None
        self.hangs, self.back_s = False, 0.0  # back_s: by how much its clock was set back

    async def look_live(self, **who: Any) -> int:
        await self._asked("look_live", who)
        if not self.may:
            raise LookRefusedError("There is no such camera.")
        return time.time_ns() + int((self.for_s - self.back_s) * 1e9)

    async def still_live(self, **who: Any) -> bool:
        await self._asked("still_live", who)
        return self.may

    async def _asked(self, what: str, who: dict[str, Any]) -> None:
        self.asked.append((what, who))
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails


class Browser:
    """A WebRTC client of ours: aiortc in the browser's place. ``strips``: of the pictures that were shown, ms."""

    def __init__(self) -> None:
        add_profiles()
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.strips: list[int] = []
        self.offer = ""
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Browser:
        self.connection.on("track", lambda track: self._tasks.append(asyncio.create_task(self._read(track))))
        transceiver = self.connection.addTransceiver("video", direction="recvonly")
        gatherer = transceiver.receiver.transport.transport.iceGatherer
        listen_only_at(gatherer._connection, ("127.0.0.1",), None)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        self.offer = self.connection.localDescription.sdp
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.connection.close()

    async def accept(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))

    async def _read(self, track: Any) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                found = strip.read(frame.to_ndarray(format="gray").astype(np.uint8, copy=False))
                if found is not None:
                    self.strips.append(found[0])


async def until(what: Any, seconds: float = 10.0) -> None:
    """Until it holds; TimeoutError."""
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
