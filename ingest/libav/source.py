"""A camera through libav: a confined process of its own speaks RTSP, and access units are made here of its packets.

The process has no files, no way to start anything and no network but connections to the camera's checked address, which
are made for it: a redirect leads to the same place. Its end, its silence or its nonsense is this camera's loss only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from ingest.access_unit import AccessUnit, Loss, Rests, Sound, SoundFormat
from ingest.addresses import CameraAddress, bracketed, redacted, resolve
from ingest.budget import Budget
from ingest.errors import CameraAwayError, CameraRefusedError, CameraStalledError, IngestError, StreamError
from ingest.libav.messages import Kind, Message, MessageError, Splitter
from ingest.libav.packets import Packets
from ingest.settings import CameraSettings
from runtime.sandbox.decoder import worker_command, worker_environment
from runtime.sandbox.held import Held, words
from runtime.sandbox.mediator import mediated, take_listener

_START_S: Final = 20.0  # a process on a busy machine, and its libraries
_OPEN_S, _READ_S = 10.0, 10.0
_SILENT_S: Final = _OPEN_S + _READ_S + 5.0  # libav gives up by itself before
_CONNECTIONS_MAX: Final = 4  # redirects and a second attempt
_READ_BYTES: Final = 256 << 10
OPTIONS: Final = {
    "rtsp_transport": "tcp",
    "reorder_queue_size": "2",  # from two on it looks whether packets are missing
    "allowed_media_types": "video",
    "protocol_whitelist": "rtsp,rtp,tcp",
    "format_whitelist": "rtsp,rtp",
    "codec_whitelist": "h264,hevc",  # no other decoder is opened, whatever the camera describes
    "fflags": "nobuffer",
}
"""Of libav's RTSP client."""


class LibavSource:
    """``batches()`` once."""

    kind = "libav"
    packets: Mapping[str, int] = {}  # libav reports lost packets only
    skew_ns: int | None = None
    rests: Rests | None = None

    def __init__(self, camera: CameraSettings) -> None:
        self._camera = camera
        self.note = ""
        self._parser: Packets | None = None
        self._budget = Budget()
        self._waiting = False  # for a key frame, after a loss
        self._lost_before_next = False
        self.passed_over = 0  # see ingest.access_unit.Source

    @property
    def sound(self) -> SoundFormat | None:
        """Only the native client hears."""
        return None

    @property
    def sound_note(self) -> str:
        """See ``Source``."""
        return "the native client alone records sound." if self._camera.audio else ""

    def hurry(self, wanted: bool) -> None:
        """Always so: its process hands on each packet as it comes."""

    def take_sounds(self) -> list[Sound]:
        """Always empty: this source gives pictures only."""
        return []

    async def batches(self) -> AsyncGenerator[list[AccessUnit | Loss], None]:
        """See ingest.access_unit.Source."""
        address = await resolve(self._camera.url, self._camera.allowed_networks)
        splitter = Splitter()
        async with self._worker(address) as reader:
            more = True
            while more:
                batch: list[AccessUnit | Loss] = []
                messages = await self._next(reader, splitter)
                with self._budget:
                    for message in messages:
                        more = more and self._take(message, batch)
                if batch:
                    yield batch

    # -- The process

    @contextlib.asynccontextmanager
    async def _worker(self, address: CameraAddress) -> AsyncIterator[asyncio.StreamReader]:
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *worker_command("ingest.libav.worker"),
                    "camera",
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=DEVNULL,
                    env=worker_environment(),
                )
            try:
                listener = await self._listener(ours)
                async with mediated(listener, lambda: _connected(address), most=_CONNECTIONS_MAX):
                    reader, writer = await asyncio.open_unix_connection(sock=ours.dup())
                    with contextlib.closing(writer):
                        writer.write(self._request(address))
                        yield reader
            finally:
                await _ended(process)

    async def _listener(self, ours: socket.socket) -> int:
        try:
            async with asyncio.timeout(_START_S):
                listener = await take_listener(ours)
        except TimeoutError:
            listener = None
        if listener is None:
            raise CameraRefusedError(
                f"Camera {redacted(self._camera.url)} is not recorded: libav's process cannot be confined here.",
                'Use source = "native", or a kernel with seccomp\'s user notification (Linux 5.9).',
            )
        return listener

    def _request(self, address: CameraAddress) -> bytes:
        camera = self._camera
        word = f"{quote(camera.user_name, safe='')}:{quote(camera.password, safe='')}@" if camera.user_name else ""
        url = f"{address.scheme}://{word}{bracketed(address.host)}:{address.port}{address.path}"
        return json.dumps({"url": url, "options": OPTIONS, "timeout": (_OPEN_S, _READ_S)}).encode() + b"\n"

    async def _next(self, reader: asyncio.StreamReader, splitter: Splitter) -> list[Message]:
        """What came together. IngestError when nothing, or nothing that makes sense, comes of the process."""
        place = redacted(self._camera.url)
        try:
            async with asyncio.timeout(_SILENT_S):
                data = await reader.read(_READ_BYTES)
            if not data:
                raise ConnectionError
            return splitter.push(data)
        except TimeoutError:
            raise CameraStalledError(f"Camera {place} sends nothing.", "Check its network; restart it.") from None
        except ConnectionError:
            raise StreamError(
                f"libav's process for camera {place} died.", 'Use source = "native"; check the camera\'s firmware.'
            ) from None
        except MessageError as error:
            raise StreamError(f"libav's process for camera {place} sends {error}.", "Check the camera.") from None

    # -- What it says

    def _take(self, message: Message, batch: list[AccessUnit | Loss]) -> bool:
        """Add what it gives to the batch. False at the stream's end. IngestError."""
        if message.kind is Kind.PACKET:
            self._packet(message, batch)
        elif message.kind is Kind.LOST:
            # In the next picture or before it: what refers to it is damaged, too, and so is that key frame itself.
            self._waiting = True
            self._lost_before_next = True
            batch.append(Loss(max(1, message.value), detail="packets are missing"))
        elif message.kind is Kind.HELD:
            lacks = Held.load(_words(message.body)).lacks
            self.note = f"libav is not confined as to {words(lacks)}" if lacks else ""
        elif message.kind is Kind.STREAM:
            self._parser = self._described(message.body)
        elif message.kind is Kind.ERROR:
            raise self._error(message.body)
        return message.kind is not Kind.END

    def _packet(self, message: Message, batch: list[AccessUnit | Loss]) -> None:
        if self._parser is None:
            raise StreamError("libav's process sends pictures before their description.", "Check the camera.")
        whole, self._lost_before_next = not self._lost_before_next, False
        unit = self._parser.unit(message.body, message.value, time.monotonic_ns())
        if unit is None:
            return
        self._waiting = self._waiting and not (unit.key and whole)
        if self._waiting:
            self.passed_over += 1
        else:
            batch.append(unit)

    def _described(self, body: bytes) -> Packets:
        try:
            found = json.loads(body)
            codec, extradata = str(found["codec"]), bytes.fromhex(found["extradata"])
        except (ValueError, KeyError, TypeError):
            raise StreamError("libav's process describes no stream.", "Check the camera.") from None
        if not codec:
            raise StreamError("The camera sends no video.", "Check the path of its address.")
        return Packets(codec, extradata)

    def _error(self, body: bytes) -> IngestError:
        place = redacted(self._camera.url)
        said = _words(body)
        if said.get("kind") == "unauthorized":
            return CameraRefusedError(
                f"Camera {place} refuses user name and password.", "Check the camera's user_name and password file."
            )
        if said.get("kind") == "no such stream":
            return CameraRefusedError(f"Camera {place} has no such stream.", "Check the path of its address.")
        if said.get("kind") == "not understood":
            return StreamError(f"Camera {place} sends what is not understood.", "Check its path and firmware.")
        if said.get("kind") == "silent":
            return CameraStalledError(f"Camera {place} sends nothing.", "Check its network; restart it.")
        reason = str(said.get("reason", ""))[:100]
        return CameraAwayError(f"Camera {place} cannot be reached ({reason}).", "Check its address, power and network.")


def _words(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def _connected(address: CameraAddress) -> socket.socket:
    """To the address that was resolved and allowed, whatever the worker asked for. OSError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        async with asyncio.timeout(_OPEN_S):
            await asyncio.get_running_loop().sock_connect(sock, (address.host, address.port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _ended(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
