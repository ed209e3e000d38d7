"""A camera that speaks RTSP over TCP and sends its packets over UDP, with whatever becomes of them on the way."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ingest.rtsp.udp import UdpPorts
from tests.support.cameras.rtp import SSRC, frames_of

Packets = list[bytes]
FOREIGN = "127.0.0.2"


def numbered(pictures: Sequence[tuple[bytes, int]], *, codec: str = "h264", first: int = 0, size: int = 500) -> Packets:
    """Annex B and ticks to RTP packets, from this sequence number on."""
    frames = frames_of(pictures, codec=codec, sequence=first, size=size)
    return [frame[4:] for frame in frames]


class UdpCamera:
    """``async with camera.listening() as url``. It sends ``packets`` once, then closes the connection.

    on_the_way: what becomes of them; the source of each is its own RTP port, or by its place in ``strange`` another
    per_s: packets a second; tcp: it answers SETUP over TCP with this status, 0: with UDP though it was asked for TCP
    names_port: SETUP's answer names the port; from_other: it sends from another one than that
    asked: the requests, method and transport; reports: RTCP that it received
    """

    def __init__(self, packets: Packets, *, codec: str = "h264", **more: Any) -> None:
        self._packets, self._codec = packets, codec
        self._on_the_way: Callable[[Packets], Packets] = more.get("on_the_way", list)
        self._forged: Callable[[bytes], bytes] | None = more.get("forged")
        self._per_s, self._tcp = more.get("per_s", 2000), more.get("tcp", 461)
        self._names_port, self._from_other = more.get("names_port", True), more.get("from_other", False)
        self._session_s, self._lasts_s = more.get("session_s", 60), more.get("lasts_s", 0.0)
        self.asked: list[tuple[str, str]] = []
        self.reports: list[bytes] = []
        self.sent = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        try:
            yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/live"
        finally:
            server.close()
            await server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = UdpPorts("127.0.0.1", "127.0.0.1", None)  # type: ignore[arg-type]
        port, to, playing = own.open(), 0, None
        try:
            while True:
                asked = (await reader.readuntil(b"\r\n\r\n")).decode()
                method = asked.split()[0]
                transport = found[1] if (found := re.search(r"Transport: (.*)\r", asked)) else ""
                self.asked.append((method, transport))
                if method == "SETUP" and "client_port" in transport:
                    to = int(re.findall(r"client_port=(\d+)", transport)[0])
                writer.write(self._reply(asked, method, transport, to, port))
                if method == "PLAY":
                    playing = asyncio.create_task(self._play(own, to, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if playing is not None:
                playing.cancel()
            own.close()
            writer.close()

    def _reply(self, asked: str, method: str, transport: str, to: int, own: int) -> bytes:
        number = re.findall(r"CSeq: *(\d+)", asked)[0]
        status, more, body = "200 OK", "", ""
        if method == "DESCRIBE":
            body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
            body += f"a=rtpmap:96 {self._codec.upper()}/90000\r\na=control:t1\r\n"
            more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP" and "TCP" in transport and self._tcp:
            status = f"{self._tcp} Unsupported Transport"
        elif method == "SETUP":
            named = f";server_port={own}-{own + 1}" if self._names_port else ""
            more = f"Transport: RTP/AVP;unicast;client_port={to}-{to + 1}{named}\r\n"
            more += f"Session: 1;timeout={self._session_s}\r\n"
        return f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{more}\r\n{body}".encode()

    async def _play(self, own: UdpPorts, to: int, writer: asyncio.StreamWriter) -> None:
        assert own.rtp is not None
        forged, other = _bound(FOREIGN), _bound("127.0.0.1")
        sender = other if self._from_other else own.rtp
        began = asyncio.get_running_loop().time()
        try:
            for number, packet in enumerate(self._on_the_way(list(self._packets))):
                due_s = began + number / self._per_s
                if (pause_s := due_s - asyncio.get_running_loop().time()) > 0:
                    await asyncio.sleep(pause_s)
                if self._forged is not None:
                    forged.sendto(self._forged(packet), ("127.0.0.1", to))
                sender.sendto(packet, ("127.0.0.1", to))
                self.sent += 1
                own.read_control(lambda view, size: self.reports.append(view[:size].tobytes()))
            await asyncio.sleep(max(0.4, self._lasts_s))  # packets that are held are given up meanwhile
            own.read_control(lambda view, size: self.reports.append(view[:size].tobytes()))
        finally:
            forged.close()
            other.close()
            writer.close()


def _bound(address: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, 0))
    return made


def number_of(packet: bytes) -> int:
    """Sequence number."""
    return int.from_bytes(packet[2:4], "big")


__all__ = ["FOREIGN", "SSRC", "UdpCamera", "number_of", "numbered"]
