"""The server: a listening socket, the streams by path, and who is connected."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterable
from typing import Final

from demo.rtsp.connection import Connection
from demo.rtsp.digest import Digest
from demo.rtsp.stream import Stream

MAX_PENDING_BYTES: Final = 2 << 20
SEND_BUFFER_BYTES: Final = 256 << 10
SESSION_S: Final = 60


class RtspServer:
    """``async with server.listening(host, port)``; afterwards ``port`` is the real one.

    max_pending_bytes, send_buffer_bytes: what is kept for a reader that does not read, here and in the kernel, before
    it is cut off
    session_s: silent clients (no request, no receiver report) are cut off a quarter later than that
    """

    def __init__(
        self,
        streams: Iterable[Stream],
        *,
        digest: Digest | None = None,
        max_pending_bytes: int = MAX_PENDING_BYTES,
        send_buffer_bytes: int = SEND_BUFFER_BYTES,
        session_s: int = SESSION_S,
    ) -> None:
        self.streams = {stream.path: stream for stream in streams}
        self.digest = digest
        self.max_pending_bytes = max_pending_bytes
        self.session_s = session_s
        self.connections: set[Connection] = set()
        self.port = 0
        self._send_buffer_bytes = send_buffer_bytes
        self._refuse_until = 0.0

    def refuse(self, seconds: float) -> None:
        """Close all connections, and reset new ones for ``seconds``."""
        self._refuse_until = time.monotonic() + seconds
        for connection in tuple(self.connections):
            connection.abort()

    def admit(self, connection: Connection, transport: asyncio.Transport) -> bool:
        """Called by a new connection; False: it has been reset."""
        plain: socket.socket = transport.get_extra_info("socket")
        if time.monotonic() < self._refuse_until:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
            return False
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer_bytes)
        self.connections.add(connection)
        return True

    @contextlib.asynccontextmanager
    async def listening(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[RtspServer]:
        """Serve until the end of the block, then close all connections."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self), host, port, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        sweep = asyncio.create_task(self._sweep(), name="rtsp sessions")
        try:
            yield self
        finally:
            sweep.cancel()
            server.close()
            for connection in tuple(self.connections):
                connection.abort()
            await asyncio.wait([sweep])

    def url(self, stream: Stream, host: str = "127.0.0.1") -> str:
        """Return a stream's address on this server."""
        return f"rtsp://{host}:{self.port}{stream.path}"

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(5.0, self.session_s / 4))
            silent_since = time.monotonic() - self.session_s * 1.25
            for connection in tuple(self.connections):
                if connection.heard < silent_since:
                    connection.abort()
