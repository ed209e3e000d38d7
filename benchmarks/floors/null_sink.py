"""An S3 server that keeps nothing: it reads what is PUT, counts it, says 200, and answers HEAD from memory.

So that recording with upload can be scaled beyond what a real store on the same machine would bear. Runs as a child
of frame/process.py without parameters; says its port when ready.
"""

from __future__ import annotations

import asyncio
import hashlib
from email.utils import formatdate
from http import HTTPStatus
from typing import cast

import uvloop

from benchmarks.frame.side import read_parameters, say, serve_parent


class Counted:
    """What the sink has been sent."""

    def __init__(self) -> None:
        self.puts = 0
        self.bytes = 0
        self.sizes: dict[str, int] = {}  # the newest objects; bounded


class Connection(asyncio.BufferedProtocol):
    """One HTTP/1.1 connection. Bodies land in one scratch buffer and are forgotten."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._buffer = bytearray(1 << 20)
        self._head = b""
        self._left = 0
        self._transport: asyncio.Transport | None = None
        self._target = ""
        self._method = ""
        self._size = 0
        self._create_only = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own transports derive from neither

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return the one buffer into which everything is read."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Count the bytes of a body, or parse the head of the next request."""
        if self._left:
            taken = min(self._left, nbytes)
            self._left -= taken
            if self._left == 0:
                self._answer()
            if nbytes > taken:
                self._head_came(bytes(memoryview(self._buffer)[taken:nbytes]))
        else:
            self._head_came(bytes(memoryview(self._buffer)[:nbytes]))

    def _head_came(self, data: bytes) -> None:
        self._head += data
        while (end := self._head.find(b"\r\n\r\n")) >= 0:
            lines = self._head[:end].decode("latin-1").split("\r\n")
            rest = self._head[end + 4 :]
            self._method, self._target, _ = lines[0].split(" ", 2)
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            self._size = int(fields.get("content-length", "0"))
            self._create_only = fields.get("if-none-match") == "*"
            self._head = b""
            if "100-continue" in fields.get("expect", ""):
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
            taken = min(self._size, len(rest))
            self._left = self._size - taken
            self._head = rest[taken:]
            if self._left:
                return
            self._answer()

    def _answer(self) -> None:
        path = self._target.partition("?")[0]
        counted = self._counted
        status, size, body = HTTPStatus.OK, 0, b""
        if self._method == "PUT" and self._create_only and path in counted.sizes:
            status = HTTPStatus.PRECONDITION_FAILED
        elif self._method == "PUT":
            counted.puts += 1
            counted.bytes += self._size
            counted.sizes[path] = self._size
            if len(counted.sizes) > 4096:
                del counted.sizes[next(iter(counted.sizes))]
        elif self._method == "DELETE":
            counted.sizes.pop(path, None)
        elif self._method == "HEAD" and path.count("/") > 1:
            size = counted.sizes.get(path, 0)
            status = HTTPStatus.OK if path in counted.sizes else HTTPStatus.NOT_FOUND
        elif self._method == "GET":
            body = b"<VersioningConfiguration/>"
        etag = hashlib.blake2s(path.encode(), digest_size=16).hexdigest()
        date = formatdate(usegmt=True)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nDate: {date}\r\nLast-Modified: {date}\r\n"
            f'ETag: "{etag}"\r\nContent-Length: {size or len(body)}\r\n\r\n'
        )
        self._write(head.encode() + body)

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)


async def serve() -> None:
    """Until the parent says stop."""
    counted = Counted()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(counted), "127.0.0.1", 0)
    say("ready", {"port": server.sockets[0].getsockname()[1]})
    await serve_parent(lambda: {"puts": counted.puts, "bytes": counted.bytes})
    server.close()


def main() -> None:
    """Serve until the starter ends this process."""
    read_parameters()
    uvloop.run(serve())


if __name__ == "__main__":
    main()
