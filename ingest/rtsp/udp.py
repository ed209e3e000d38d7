"""The two UDP sockets of a camera's pictures: RTP on an even port, RTCP on the next (RFC 3550, 11).

Only packets from the camera's own address are read, and RTP only from the port in the reply to SETUP. Some cameras send
from another port: it is accepted if nothing arrives from the stated one.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
from collections.abc import Callable
from typing import Final

from ingest.errors import CameraAwayError
from ingest.rtp.counts import Counts
from ingest.rtp.frames import DOLLAR, HEAD_BYTES
from ingest.rtsp.datagrams import LEAST_BYTES, Datagrams
from ingest.rtsp.receiver import WORK_MAX
from ingest.rtsp.session import Session

BUFFER_BYTES: Final = 4 << 20
SMALL_BYTES: Final = 1 << 20  # below this size the kernel's buffer is read immediately
PIECE_BYTES: Final = 64 << 10  # read and processed at a time
_DATAGRAM_MAX: Final = 64 << 10
_DATAGRAMS_MAX: Final = 256
_ATTEMPTS: Final = 32
_TURN_BYTES: Final = 1 << 20
_REPORT_NS: Final = 5_000_000_000
_OTHER_PORT: Final = 8  # packets from another port, with none from the stated one
_PUNCH: Final = b"\x80" + bytes(11)  # an empty RTP packet, which opens firewalls on the way
_HEAD: Final = struct.Struct(">BBH")
_SO_RCVBUFFORCE: Final = 33  # socket(7); needs CAP_NET_ADMIN


class UdpPorts:
    """``open()`` returns the even port; call ``close()`` at the end.

    local, camera: addresses; the sockets are bound to the local address of the RTSP connection
    """

    def __init__(self, local: str, camera: str, counts: Counts) -> None:
        self._local, self._camera, self._counts = local, camera, counts
        self._pair: tuple[socket.socket, socket.socket] | None = None
        self._named = self._port = 0  # of the camera's RTP
        self._others = 0
        self.buffer_bytes = 0  # the kernel's receive buffer, its bookkeeping included

    @property
    def rtp(self) -> socket.socket | None:
        """None before ``open()``."""
        return self._pair[0] if self._pair is not None else None

    @property
    def small(self) -> bool:
        """Whether the kernel's buffer is small, so that packets are read immediately."""
        return self.buffer_bytes < SMALL_BYTES

    def open(self) -> int:
        """Open the sockets and return the even port. CameraAwayError: no pair is free."""
        if self._pair is None:
            self._pair = self._bound()
            self.buffer_bytes = _enlarged(self._pair[0])
        return int(self._pair[0].getsockname()[1])

    def close(self) -> None:
        """Close both sockets."""
        for each in self._pair or ():
            each.close()
        self._pair = None

    def named(self, port: int) -> None:
        """Set the camera's RTP port from its reply to SETUP; 0: not stated."""
        self._named = self._port = port
        if port and self._pair is not None:
            with contextlib.suppress(OSError):
                self._pair[0].sendto(_PUNCH, (self._camera, port))

    def report(self, data: bytes) -> None:
        """Send to the camera's RTCP port; dropped while that is unknown."""
        if self._port and self._pair is not None:
            with contextlib.suppress(OSError):
                self._pair[1].sendto(data, (self._camera, self._port + 1))

    def read(self, view: memoryview, channel: int) -> tuple[int, bool]:
        """Read datagrams into ``view``, each after a frame's head. Return the end, and whether more may wait."""
        assert self._pair is not None
        receive, camera, port = self._pair[0].recvfrom_into, self._camera, self._port
        at = 0
        for _ in range(_DATAGRAMS_MAX):
            begin = at + HEAD_BYTES
            try:
                size, sender = receive(view[begin : begin + _DATAGRAM_MAX])
            except (BlockingIOError, InterruptedError):
                return at, False
            except OSError:
                continue  # an ICMP error about a sent packet
            if sender[0] != camera or (sender[1] != port and not self._other_port(sender[1])):
                self._counts.foreign += 1
                continue
            if size < LEAST_BYTES:
                self._counts.malformed += 1
                continue
            _HEAD.pack_into(view, at, DOLLAR, channel, size)
            at = begin + size
            if at >= PIECE_BYTES:
                break
        return at, True

    def read_control(self, take: Callable[[memoryview, int], None]) -> None:
        """Return a few RTCP packets."""
        assert self._pair is not None
        buffer = bytearray(2048)
        for _ in range(4):
            try:
                size, sender = self._pair[1].recvfrom_into(buffer)
            except OSError:
                return
            if sender[0] == self._camera:
                take(memoryview(buffer), size)

    def _other_port(self, port: int) -> bool:
        """Whether packets from this port are the camera's, since none arrive from the stated one."""
        self._others += 1
        if self._port == self._named and (not self._named or self._others >= _OTHER_PORT):
            self._port = port
        return port == self._port

    def _bound(self) -> tuple[socket.socket, socket.socket]:
        family = socket.AF_INET6 if ":" in self._local else socket.AF_INET
        for _ in range(_ATTEMPTS):
            pair = (socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM))
            try:
                pair[0].bind((self._local, 0))
                port = pair[0].getsockname()[1]
                if port % 2 == 0:
                    pair[1].bind((self._local, port + 1))
                    for each in pair:
                        each.setblocking(False)
                    return pair
            except OSError:
                pass  # the odd port is taken
            for each in pair:
                each.close()
        raise CameraAwayError("there are no two free UDP ports for it.", "Look what else runs on this machine.")


def _enlarged(receiving: socket.socket) -> int:
    """Make the receive buffer as large as the kernel allows, for bursts of key frames. Return its size (socket(7))."""
    receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    with contextlib.suppress(OSError):
        receiving.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
    return receiving.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


class UdpReceiver:
    """Takes the datagrams of a session that plays over UDP. ``view``: a buffer, used only during a call."""

    def __init__(self, ports: UdpPorts, session: Session, view: memoryview) -> None:
        self._ports, self._session, self._view = ports, session, view
        self._reporter = secrets.randbits(32)
        self._report_ns = 0

    def take(self, datagrams: Datagrams, mono_ns: int) -> int:
        """Take what arrived; return the bytes. IngestError as Session. What exceeds a turn waits in the kernel."""
        ports, session, view = self._ports, self._session, self._view
        if not self._report_ns:
            ports.named(session.transports.server_port)
        size = work = 0
        more = True
        if datagrams.behind:
            work = session.receive_datagrams(view, 0, mono_ns)
        while more and size < _TURN_BYTES and work <= WORK_MAX:
            end, more = ports.read(view, session.channel)
            work += session.receive_datagrams(view, end, mono_ns)
            size += end
        ports.read_control(lambda packet, end: datagrams.report(packet, end, mono_ns))
        if mono_ns >= self._report_ns:
            ports.report(datagrams.answer(self._reporter, mono_ns))
            self._report_ns = mono_ns + _REPORT_NS
        return size
