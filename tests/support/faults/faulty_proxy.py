"""An HTTP proxy before a real server that does to each request what a test asks for."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum, auto


class Fault(Enum):
    PASS = auto()
    LOSE_REPLY = auto()  # the server has done it, its answer never arrives
    RESET = auto()  # before the server hears of it
    RESET_MIDWAY = auto()  # half of the request's body goes through
    BUSY = auto()  # 503 by ourselves
    BUSY_AT_ONCE = auto()  # 503 without reading the body, then closed
    SILENT = auto()
    CUT_REPLY = auto()  # half of the answer's body, then a reset
    SLOW = auto()  # the answer at 1 kB/s
    SLOW_BODY = auto()  # the request is read at 1 kB/s, until the fault is over
    FLIP = auto()  # one bit of the request's body is turned


_BUSY = b"<Error><Code>SlowDown</Code></Error>"


@dataclass
class FaultyProxy:
    """``faults`` are used up one per request, ``only`` says for which methods; then requests pass."""

    host: str
    port: int
    faults: deque[Fault | bytes] = field(default_factory=deque)  # bytes: a whole raw answer instead of the server's
    only: tuple[str, ...] = ("PUT", "GET", "HEAD", "DELETE", "POST")
    always: Fault | None = None
    requests: list[str] = field(default_factory=list)  # "PUT /bucket/name"
    connections: int = 0
    endpoint: str = ""
    done: Counter[Fault] = field(default_factory=Counter)  # how often each was done

    def next(self, method: str) -> Fault | bytes:
        if method not in self.only:
            return Fault.PASS
        if self.faults:
            return self.faults.popleft()
        return self.always or Fault.PASS

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        upstream: asyncio.StreamWriter | None = None
        try:
            from_server, upstream = await asyncio.open_connection(self.host, self.port)
            while await self._request(reader, writer, from_server, upstream):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side has gone: so does the other
        finally:
            writer.close()
            if upstream is not None:
                upstream.close()

    async def _request(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
    ) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        self.requests.append(f"{method} {target}")
        fault = self.next(method)
        if isinstance(fault, Fault):
            self.done[fault] += 1
        length = _length(head) or 0
        if fault is Fault.RESET:
            return _reset(writer)
        if fault is Fault.BUSY_AT_ONCE:
            writer.write(_answer(503, _BUSY, close=True))
            await writer.drain()
            return False
        if fault is Fault.RESET_MIDWAY:
            upstream.write(head + await reader.readexactly(length // 2))
            await upstream.drain()
            return _reset(writer)
        body = bytearray(await self._body(fault, reader, length))
        if fault is Fault.BUSY or isinstance(fault, bytes):
            writer.write(fault if isinstance(fault, bytes) else _answer(503, _BUSY))
            await writer.drain()
            return True
        if fault is Fault.FLIP and body:
            body[len(body) // 2] ^= 1
        upstream.write(head + body)
        await upstream.drain()
        return await self._reply(fault, method, from_server, writer)

    async def _body(self, fault: Fault | bytes, reader: asyncio.StreamReader, length: int) -> bytes:
        body = b""
        while fault is Fault.SLOW_BODY and self.always is fault and len(body) < length:
            body += await reader.readexactly(min(100, length - len(body)))
            await asyncio.sleep(0.1)
        return body + await reader.readexactly(length - len(body))

    async def _reply(
        self, fault: Fault, method: str, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head, body = await _response(from_server, method)
        if fault is Fault.LOSE_REPLY:
            return _reset(writer)
        if fault is Fault.SILENT:
            await asyncio.sleep(3600)
        if fault is Fault.CUT_REPLY:
            writer.write(head + body[: len(body) // 2])
            await writer.drain()
            await asyncio.sleep(0.05)
            return _reset(writer)
        if fault is Fault.SLOW:
            whole = head + body
            for at in range(0, len(whole), 100):
                writer.write(whole[at : at + 100])
                await writer.drain()
                await asyncio.sleep(0.1)
            return True
        writer.write(head + body)
        await writer.drain()
        return True


def _reset(writer: asyncio.StreamWriter) -> bool:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


def _answer(status: int, body: bytes, *, close: bool = False) -> bytes:
    more = "Connection: close\r\n" if close else ""
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def _header(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def _length(head: bytes) -> int | None:
    value = _header(head, b"content-length")
    return None if value is None else int(value)


async def _response(reader: asyncio.StreamReader, method: str) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status == 100:
        return await _response(reader, method)
    if method == "HEAD" or status in (204, 304):
        return head, b""
    if (_header(head, b"transfer-encoding") or b"").lower() == b"chunked":
        return head, await _chunked(reader)
    return head, await reader.readexactly(_length(head) or 0)


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    whole = bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        rest = await reader.readexactly(int(line.split(b";")[0], 16) + 2)
        whole += line + rest
        if len(rest) == 2:
            return bytes(whole)


@contextlib.asynccontextmanager
async def faulty_proxy(endpoint: str) -> AsyncIterator[FaultyProxy]:
    """Before ``endpoint`` (host:port) inside the block."""
    host, _, port = endpoint.rpartition(":")
    proxy = FaultyProxy(host, int(port))
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(proxy.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    proxy.endpoint = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
