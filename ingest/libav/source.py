"""A camera through libav: a thread reads packets, the event loop gets access units.

The hand-over is bounded. When the loop is late by more than the bound, pictures are dropped until the next key frame
and a Loss says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from urllib.parse import quote

import av
import av.error
import av.logging

from ingest.access_unit import TICKS_PER_S, AccessUnit, Loss, Rests, Sound, SoundFormat
from ingest.addresses import CameraAddress, bracketed, redacted, resolve
from ingest.errors import CameraAwayError, CameraRefusedError, CameraStalledError, IngestError, StreamError
from ingest.libav.packets import Packets
from ingest.settings import CameraSettings, Transport

_OPEN_S, _READ_S = 10.0, 10.0
_WAITING_MAX = 512  # access units between the thread and the loop
OPTIONS = {
    "allowed_media_types": "video",
    "protocol_whitelist": "rtsp,rtp,udp,tcp,tls,crypto",
    "format_whitelist": "rtsp,rtp",
    "codec_whitelist": "h264,hevc",  # no other decoder is opened, whatever the camera describes
    "fflags": "nobuffer",
}
"""Of libav's RTSP client. There is none against redirects, which it follows anywhere, with the password."""
_MISSED = re.compile(r"RTP: missed (-?\d+) packets")


class LibavSource:
    """``batches()`` once."""

    kind = "libav"
    note = ""
    packets: Mapping[str, int] = {}  # libav reports lost packets only
    skew_ns: int | None = None
    rests: Rests | None = None

    def __init__(self, camera: CameraSettings) -> None:
        self._camera = camera
        self._waiting: deque[AccessUnit | Loss | IngestError | None] = deque()
        self._wake = asyncio.Event()
        self._stopped = threading.Event()
        self.passed_over = 0  # see ingest.access_unit.Source
        self._loop = asyncio.get_running_loop()

    @property
    def sound(self) -> SoundFormat | None:
        """Only the native client hears."""
        return None

    @property
    def sound_note(self) -> str:
        """See ``Source``."""
        return "sound is recorded over TCP only." if self._camera.audio else ""

    def take_sounds(self) -> list[Sound]:
        """Always empty: this source gives pictures only."""
        return []

    async def batches(self) -> AsyncGenerator[list[AccessUnit | Loss], None]:
        """See ingest.access_unit.Source."""
        address = await resolve(self._camera.url, self._camera.allowed_networks)
        _hear_libav()
        thread = threading.Thread(target=self._read, args=(address,), name=f"libav {self._camera.name}", daemon=True)
        thread.start()
        try:
            while True:
                batch: list[AccessUnit | Loss] = []
                ended, error = self._take_waiting(batch)
                if batch:
                    yield batch
                if error is not None:
                    raise error
                if ended:
                    return
                self._wake.clear()
                if not self._waiting:
                    await self._wake.wait()
        finally:
            self._stopped.set()

    def _take_waiting(self, batch: list[AccessUnit | Loss]) -> tuple[bool, IngestError | None]:
        """Whether the thread is at its end, and why."""
        while self._waiting:
            item = self._waiting.popleft()
            if item is None:
                return True, None
            if isinstance(item, IngestError):
                return True, item
            batch.append(item)
        return False, None

    # -- In the thread

    def _read(self, address: CameraAddress) -> None:
        last: IngestError | None = None
        try:
            with av.logging.Capture(local=True) as said, contextlib.closing(self._opened(address)) as container:
                self._read_packets(container, said)
        except IngestError as error:
            last = error
        except (av.error.FFmpegError, OSError, ValueError) as error:
            last = self._told(error)
        self._hand_over(last)

    def _opened(self, address: CameraAddress) -> Any:
        camera = self._camera
        word = f"{quote(camera.user_name, safe='')}:{quote(camera.password, safe='')}@" if camera.user_name else ""
        url = f"{address.scheme}://{word}{bracketed(address.host)}:{address.port}{address.path}"
        options = {**OPTIONS, "rtsp_transport": "udp" if camera.transport is Transport.UDP else "tcp"}
        return av.open(url, format="rtsp", options=options, timeout=(_OPEN_S, _READ_S))

    def _read_packets(self, container: Any, said: list[Any]) -> None:
        if not container.streams.video:
            raise StreamError("The camera sends no video.", "Check the path of its address.")
        stream = container.streams.video[0]
        context = stream.codec_context
        packets = Packets(context.name, bytes(context.extradata or b""))
        said.clear()  # of looking for streams
        scale = stream.time_base * TICKS_PER_S
        dropping = waiting = False
        last_ticks = 0
        for packet in container.demux(stream):
            if self._stopped.is_set():
                return
            if packet.size == 0:
                continue
            lost, whole = _lost_by(said), True
            if lost:
                # In this picture or before it, and in this call: what refers to it is damaged, too.
                whole, waiting = False, True
                self._hand_over(Loss(lost, detail="packets are missing"))
            if packet.pts is not None:
                last_ticks = int(packet.pts * scale)
            elif not last_ticks:
                continue  # libav sometimes leaves the first picture without a time
            unit = packets.unit(bytes(packet), last_ticks, time.monotonic_ns())
            if unit is None:
                continue
            waiting = waiting and not (unit.key and whole)
            if waiting:
                self.passed_over += 1
                continue
            if len(self._waiting) >= _WAITING_MAX and not dropping:
                dropping = True
                self._hand_over(Loss(0, detail="the recorder was late"))
            if dropping and not (unit.key and len(self._waiting) < _WAITING_MAX // 2):
                continue
            dropping = False
            self._hand_over(unit)

    def _hand_over(self, item: AccessUnit | Loss | IngestError | None) -> None:
        self._waiting.append(item)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._wake.set)

    def _told(self, error: Exception) -> IngestError:
        place = redacted(self._camera.url)
        if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
            return CameraRefusedError(
                f"Camera {place} refuses user name and password.", "Check the camera's user_name and password file."
            )
        if isinstance(error, av.error.HTTPClientError):
            return CameraRefusedError(f"Camera {place} has no such stream.", "Check the path of its address.")
        if isinstance(error, av.error.InvalidDataError | ValueError):
            return StreamError(f"Camera {place} sends what is not understood.", "Check its path and firmware.")
        if isinstance(error, av.error.ExitError | TimeoutError):
            return CameraStalledError(f"Camera {place} sends nothing.", "Check its network; restart it.")
        reason = getattr(error, "strerror", None) or type(error).__name__
        return CameraAwayError(f"Camera {place} cannot be reached ({reason}).", "Check its address, power and network.")


def _hear_libav() -> None:
    """Only its log messages report lost packets. They contain addresses with passwords, so they go nowhere else."""
    silent = logging.getLogger("libav")
    silent.propagate = False
    if not silent.handlers:
        silent.addHandler(logging.NullHandler())
    av.logging.set_level(av.logging.WARNING)
    av.logging.set_skip_repeated(False)


def _lost_by(said: list[Any]) -> int:
    """Packets that libav's RTP reader has missed, by what it has logged since; that is forgotten."""
    if not said:
        return 0
    lost = 0
    for _, _, text in said:
        if found := _MISSED.search(text):
            lost += max(1, int(found[1]))
    said.clear()
    return lost
