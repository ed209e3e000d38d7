"""The floor of receiving: the messages of a persistent session at QoS 1 are taken, acknowledged and forgotten.

It speaks just the MQTT 3.1.1 that this takes, and acknowledges together what came together: a client library takes
twenty times as long for a message, and would have made a slow floor.

Runs as a child of frame/process.py. Parameters: ``port``, ``user``, ``password``, ``client_id``, ``topic``,
``events`` (0: subscribe and leave, so that what is published from now on waits for the session). Says ``done``.
"""

from __future__ import annotations

import asyncio
import struct
import time
from typing import Any, cast

import uvloop

from benchmarks.frame.mqtt import packet, text
from benchmarks.frame.process import ChildError
from benchmarks.frame.side import read_parameters, say, serve_parent

_CONNACK, _PUBLISH, _SUBACK = 0x20, 0x30, 0x90
_DISCONNECT = b"\xe0\x00"
_CLEAN, _WITH_PASSWORD, _WITH_USER = 0x02, 0x40, 0x80
_KEEPALIVE_S = 600


class _Session(asyncio.BufferedProtocol):
    """One connection. ``answered`` is set by each acknowledgement of the broker's, ``done`` after so many messages."""

    def __init__(self, events: int) -> None:
        self._left = events
        self._buffer = bytearray(1 << 18)
        self._fill = 0
        self.answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._first_s = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what still waits for the broker, with ChildError."""
        for waited in (self.answered, self.done):
            if not waited.done():
                waited.set_exception(ChildError("The broker closed the connection."))
                waited.exception()  # mark the exception as seen

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._buffer)[self._fill :]

    def buffer_updated(self, nbytes: int) -> None:
        """Take whole packets off the buffer and acknowledge each PUBLISH; keep the rest (MQTT 3.1.1, 2.2 and 3.4)."""
        data, end, at = self._buffer, self._fill + nbytes, 0
        answers = bytearray()
        while end - at >= 2:
            size, shift, head = 0, 0, at + 1
            while head < end:
                byte = data[head]
                size |= (byte & 0x7F) << shift
                head, shift = head + 1, shift + 7
                if byte < 0x80:
                    break
            else:
                break
            if head + size > end:
                break
            kind = data[at] & 0xF0
            if kind == _PUBLISH:
                mid = head + 2 + (data[head] << 8 | data[head + 1])
                answers += b"\x40\x02"
                answers += data[mid : mid + 2]
            elif kind in (_CONNACK, _SUBACK):
                self.answered.set_result(data[head + size - 1])
            at = head + size
        self._buffer[: end - at] = data[at:end]
        self._fill = end - at
        if answers:
            self._took(answers)

    def _took(self, answers: bytearray) -> None:
        self._first_s = self._first_s or time.perf_counter()
        assert self.transport is not None
        self.transport.write(answers)
        self._left -= len(answers) // 4
        if self._left <= 0 and not self.done.done():
            self.done.set_result(time.perf_counter() - self._first_s)


async def _connected(given: dict[str, Any], events: int, *, clean: bool) -> _Session:
    """ChildError when the broker refuses."""
    _, session = await asyncio.get_running_loop().create_connection(
        lambda: _Session(events), "127.0.0.1", given["port"]
    )
    flags = _WITH_USER | _WITH_PASSWORD | (_CLEAN if clean else 0)
    head = text("MQTT") + bytes((4, flags)) + struct.pack(">H", _KEEPALIVE_S)
    body = head + text(given["client_id"]) + text(given["user"]) + text(given["password"])
    await _asked(session, packet(0x10, body))
    return session


async def _asked(session: _Session, request: bytes) -> None:
    assert session.transport is not None
    session.answered = asyncio.get_running_loop().create_future()
    session.transport.write(request)
    if await session.answered not in (0, 1):
        raise ChildError("The broker refused the session.")


async def _left(session: _Session) -> None:
    assert session.transport is not None
    session.transport.write(_DISCONNECT)
    await asyncio.sleep(0.2)  # the last acknowledgements
    session.transport.close()


async def _work(given: dict[str, Any]) -> None:
    events = given["events"]
    cpu = time.process_time()
    session = await _connected(given, events, clean=False)
    await _asked(session, packet(0x82, b"\x00\x01" + text(given["topic"]) + b"\x01"))
    say("ready", {})
    took = await session.done if events else 0.0
    say("done", {"events": events, "s": took, "cpu_s": time.process_time() - cpu})
    await _left(session)
    if events:  # end the session at the broker: what comes later is not for it
        await _left(await _connected(given, 0, clean=True))
    await serve_parent(dict)


def main() -> None:
    """Receive, then wait for the parent."""
    uvloop.run(_work(read_parameters()))


if __name__ == "__main__":
    main()
