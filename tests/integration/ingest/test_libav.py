"""libav in a process of its own: losses, redirects, a process that dies, hangs or is asked for secrets."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import av
import psutil
import pytest

from domain.ids import CameraId, SiteId
from ingest.access_unit import AccessUnit, Loss
from ingest.errors import CameraStalledError, IngestError, StreamError
from ingest.libav import source as libav
from ingest.libav.source import OPTIONS, LibavSource
from ingest.settings import CameraSettings, SourceKind
from tests.support.cameras.rtp import frames_of
from tests.support.cameras.video import encoded

SECONDS = 6.0


class TcpCamera:
    """Speaks RTSP and sends RTP over the same connection.

    lose: packets, by number, that never leave
    elsewhere: where DESCRIBE is redirected to
    """

    def __init__(self, codec: str = "h264", lose: Sequence[int] = (), elsewhere: str = "") -> None:
        coder = "libx264" if codec == "h264" else "libx265"
        stream = encoded(SECONDS, size=(640, 352), gop=25, codec=coder)
        self._pictures = [frames_of([(data, pts)], codec=codec, size=500) for data, pts, _ in stream]
        self._codec, self._lose, self._elsewhere = codec, set(lose), elsewhere
        self.connections = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        playing: asyncio.Task[None] | None = None
        try:
            while True:
                asked = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
                method, number = asked.split()[0], re.findall(r"CSeq: *(\d+)", asked)[0]
                more, body, answer = "", "", "200 OK"
                if method == "OPTIONS":
                    more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
                elif method == "DESCRIBE" and self._elsewhere:
                    answer, more = "302 Found", f"Location: {self._elsewhere}\r\n"
                elif method == "DESCRIBE":
                    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                    body += f"a=rtpmap:96 {self._codec.upper()}/90000\r\na=control:t1\r\n"
                    more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
                elif method == "SETUP":
                    more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1;timeout=60\r\n"
                writer.write(f"RTSP/1.0 {answer}\r\nCSeq: {number}\r\n{more}\r\n{body}".encode())
                if method == "PLAY":
                    playing = asyncio.create_task(self._play(writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if playing is not None:
                playing.cancel()
            writer.close()

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        number = 0
        for turn in itertools.count():
            for place, frames in enumerate(self._pictures):
                for frame in frames:
                    packet = bytearray(frame)
                    packet[6:8] = (number & 0xFFFF).to_bytes(2, "big")
                    packet[8:12] = ((turn * len(self._pictures) + place) * 3600).to_bytes(4, "big")
                    if number not in self._lose:
                        writer.write(packet)
                    number += 1
                await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        try:
            yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        finally:
            server.close()
            await server.wait_closed()


def settings(url: str) -> CameraSettings:
    return CameraSettings(
        camera_id=CameraId(uuid4()),
        site_id=SiteId(uuid4()),
        name="Hall",
        url=url,
        user_name="recorder",
        password="open sesame",
        source=SourceKind.LIBAV,
    )


async def taken(url: str, count: int) -> list[AccessUnit | Loss]:
    items: list[AccessUnit | Loss] = []
    async with asyncio.timeout(40), aclosing(LibavSource(settings(url)).batches()) as batches:
        async for batch in batches:
            items += batch
            if sum(isinstance(item, AccessUnit) for item in items) >= count:
                break
    return items


def workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "ingest.libav.worker" in child.cmdline()]


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("lose", [(), (200, 201, 330)])
async def test_what_the_camera_loses_is_a_loss_and_no_picture_refers_to_it(codec: str, lose: tuple[int, ...]) -> None:
    async with TcpCamera(codec, lose).listening() as url:
        items = await taken(url, 150)
    losses = [item for item in items if isinstance(item, Loss)]
    assert sum(item.packets for item in losses) == len(lose)
    _decodes(codec, items)
    assert not workers()


async def test_redirect_leads_back_to_the_camera_and_the_password_nowhere_else() -> None:
    stranger = TcpCamera()
    async with stranger.listening() as elsewhere:
        camera = TcpCamera(elsewhere=elsewhere)
        async with camera.listening() as url:
            with pytest.raises(IngestError):
                await taken(url, 1)
            assert (camera.connections > 1, stranger.connections) == (True, 0)
            with contextlib.suppress(av.error.FFmpegError):  # positive control: libav by itself goes there
                await asyncio.to_thread(lambda: av.open(url, format="rtsp", options=OPTIONS, timeout=(5, 5)).close())
            assert stranger.connections > 0


async def test_process_knows_no_secret_but_by_its_socket_and_its_death_is_this_cameras_loss() -> None:
    async with TcpCamera().listening() as url, aclosing(LibavSource(settings(url)).batches()) as batches:
        async with asyncio.timeout(30):
            assert await anext(batches)
        (worker,) = workers()
        assert not any("sesame" in text for text in [*worker.cmdline(), *worker.environ()])
        assert "Seccomp:\t2" in await asyncio.to_thread(Path(f"/proc/{worker.pid}/status").read_text)
        worker.kill()
        with pytest.raises(StreamError, match="died"):
            async for _ in batches:
                pass
    assert not workers()


async def test_process_that_hangs_is_told_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async with TcpCamera().listening() as url, aclosing(LibavSource(settings(url)).batches()) as batches:
        async with asyncio.timeout(30):
            assert await anext(batches)
        monkeypatch.setattr(libav, "_SILENT_S", 0.5)
        os.kill(workers()[0].pid, signal.SIGSTOP)
        with pytest.raises(CameraStalledError):
            async for _ in batches:
                pass
    assert not workers()


async def test_where_the_process_cannot_be_confined_the_camera_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    real = libav.worker_command
    monkeypatch.setattr(libav, "worker_command", lambda _: real("tests.support.sandbox.unconfined"))
    async with TcpCamera().listening() as url:
        with pytest.raises(IngestError, match="cannot be confined"):
            await taken(url, 1)


def _decodes(codec: str, items: Sequence[AccessUnit | Loss]) -> None:
    """Each run of pictures between losses, by itself, begins with a key picture and decodes without an error."""
    runs: list[list[AccessUnit]] = [[]]
    for item in items:
        if isinstance(item, Loss):
            runs.append([])
        else:
            runs[-1].append(item)
    for run in runs:
        if not run:
            continue
        assert run[0].key or run is runs[0]
        decoder = av.CodecContext.create("h264" if codec == "h264" else "hevc", "r")
        started = False
        for unit in run:
            started = started or unit.key
            if not started:
                continue
            sets = (unit.parameters.vps, unit.parameters.sps, *unit.parameters.pps) if unit.key else ()
            start = b"\x00\x00\x00\x01"
            data, at = b"".join(start + item for item in sets if item), 0
            while at < len(unit.data):
                size = int.from_bytes(unit.data[at : at + 4], "big")
                data += start + unit.data[at + 4 : at + 4 + size]
                at += 4 + size
            for frame in decoder.decode(av.Packet(data)):
                assert not frame.is_corrupt
