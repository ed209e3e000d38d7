"""Packets that UDP loses on the way to libav are losses: nothing that refers to them is recorded."""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
from collections.abc import Sequence
from contextlib import aclosing
from uuid import uuid4

import av
import pytest

from domain.ids import CameraId, SiteId
from ingest.access_unit import AccessUnit, Loss
from ingest.libav.source import LibavSource
from ingest.settings import CameraSettings, SourceKind, Transport
from tests.support.cameras.rtp import frames_of
from tests.support.cameras.video import encoded

SECONDS = 6.0


class UdpCamera:
    """Speaks RTSP over TCP, sends RTP over UDP. lose: packets, by number, that never leave."""

    def __init__(self, codec: str, lose: Sequence[int]) -> None:
        coder = "libx264" if codec == "h264" else "libx265"
        stream = encoded(SECONDS, size=(640, 352), gop=25, codec=coder)
        self._pictures = [frames_of([(data, pts)], codec=codec, size=500) for data, pts, _ in stream]
        self._codec, self._lose = codec, set(lose)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing: asyncio.Task[None] | None = None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("127.0.0.1", 0))
            to = 0
            try:
                while True:
                    asked = (await reader.readuntil(b"\r\n\r\n")).decode()
                    method, number = asked.split()[0], re.findall(r"CSeq: *(\d+)", asked)[0]
                    more, body = "", ""
                    if method == "OPTIONS":
                        more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
                    elif method == "DESCRIBE":
                        body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                        body += f"a=rtpmap:96 {self._codec.upper()}/90000\r\na=control:t1\r\n"
                        more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
                    elif method == "SETUP":
                        to = int(re.findall(r"client_port=(\d+)", asked)[0])
                        own = sender.getsockname()[1]
                        more = (
                            f"Transport: RTP/AVP/UDP;unicast;client_port={to}-{to + 1};server_port={own}-{own + 1}\r\n"
                        )
                        more += "Session: 1;timeout=60\r\n"
                    writer.write(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{more}\r\n{body}".encode())
                    if method == "PLAY":
                        playing = asyncio.create_task(self._play(sender, to))
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                if playing is not None:
                    playing.cancel()
                writer.close()

    async def _play(self, sender: socket.socket, port: int) -> None:
        number = 0
        for turn in itertools.count():
            for place, frames in enumerate(self._pictures):
                for frame in frames:
                    packet = bytearray(frame[4:])
                    packet[2:4] = (number & 0xFFFF).to_bytes(2, "big")
                    packet[4:8] = ((turn * len(self._pictures) + place) * 3600).to_bytes(4, "big")
                    if number not in self._lose:
                        sender.sendto(packet, ("127.0.0.1", port))
                    number += 1
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("lose", [(), (200, 201, 330)])
async def test_what_udp_loses_is_a_loss_and_no_picture_refers_to_it(codec: str, lose: tuple[int, ...]) -> None:
    camera = UdpCamera(codec, lose)
    server = await asyncio.start_server(camera.talk, "127.0.0.1", 0)
    settings = CameraSettings(
        camera_id=CameraId(uuid4()),
        site_id=SiteId(uuid4()),
        name="Hall",
        url=f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/",
        source=SourceKind.LIBAV,
        transport=Transport.UDP,
    )
    items: list[AccessUnit | Loss] = []
    async with asyncio.timeout(40), aclosing(LibavSource(settings).batches()) as batches:
        async for batch in batches:
            items += batch
            if sum(isinstance(item, AccessUnit) for item in items) >= 150:
                break
    server.close()
    await server.wait_closed()
    losses = [item for item in items if isinstance(item, Loss)]
    assert sum(item.packets for item in losses) == len(lose)
    _decodes(codec, items)


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
