"""Door controllers: native events at QoS 1, at a rate or as fast as the broker takes them.

Runs as a child of frame/process.py. Parameters: ``port``, ``user``, ``password``, ``topics``, ``credentials``,
``events``, ``rate`` (events a second; 0: no pace), ``from_ns`` and ``to_ns`` (occurred evenly between them; without
them: occurred when sent), ``seed``. Says ``done`` with what it did.

It speaks just the MQTT 3.1.1 that publishing takes: a whole client cost a quarter of the core that the broker and
the database need, and so limited what was to be measured.
"""

from __future__ import annotations

import asyncio
import random
import struct
import time
import uuid
from typing import Any, cast

import uvloop

from benchmarks.frame.mqtt import packet, text
from benchmarks.frame.process import ChildError
from benchmarks.frame.side import read_parameters, say, serve_parent
from domain.time import to_iso

_CLIENTS = 4
_AT_ONCE = 200  # unanswered publications of each client
_TICK_S = 0.002
_CONNECT, _CONNACK, _PUBLISH_QOS1, _PUBACK = 0x10, 0x20, 0x32, 0x40
_ID = struct.Struct(">H")


class Doors:
    """All controllers."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given
        self._dice = random.Random(given["seed"])
        self._run = uuid.uuid4().hex[:16]  # ids are unique for ever at a door
        self._topics = [text(topic) for topic in given["topics"]]

    async def run(self, clients: list[_Publisher]) -> dict[str, float]:
        """Publish them all; what it took. ``late_max_ms``: how long an event that was due was not sent."""
        given, late_s, number = self._given, 0.0, 0
        began = time.perf_counter()
        while number < given["events"]:
            now_s = time.perf_counter() - began
            due = given["events"] if not given["rate"] else min(given["events"], int(now_s * given["rate"]) + 1)
            at_first = number
            while number < due and (client := clients[number % len(clients)]).unanswered < _AT_ONCE:
                client.publish(self._dice.choice(self._topics), self._payload(number))
                number += 1
            if given["rate"] and number < due:
                late_s = max(late_s, now_s - number / given["rate"])
            for client in clients:
                client.flush()
            if number == at_first or given["rate"]:
                await asyncio.sleep(_TICK_S)
            else:
                await asyncio.sleep(0)
        while any(client.unanswered for client in clients):  # noqa: ASYNC110
            await asyncio.sleep(_TICK_S)
        took = time.perf_counter() - began
        return {"events": number, "s": took, "per_s": number / took, "late_max_ms": late_s * 1e3}

    def _payload(self, number: int) -> bytes:
        given = self._given
        occurred_ns = time.time_ns()
        if given.get("from_ns"):
            occurred_ns = given["from_ns"] + (given["to_ns"] - given["from_ns"]) * number // given["events"]
        event_id, credential = f"{self._run}-{number:012x}", self._dice.choice(given["credentials"])
        return (
            f'{{"event_id": "{event_id}", "occurred_at": "{to_iso(occurred_ns)}", "kind": "granted", '
            f'"direction": "in", "credential": "{credential}"}}'
        ).encode()


class _Publisher(asyncio.Protocol):
    """One controller's connection. ChildError out of ``unanswered`` once it is lost."""

    def __init__(self, user: str, password: str) -> None:
        self._account = (user, password)
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._in = b""
        self._next = 0
        self._unanswered = 0
        self._lost = False
        self.ready = asyncio.get_running_loop().create_future()

    @property
    def unanswered(self) -> int:
        """How many messages the broker has not acknowledged. ChildError once the connection is lost."""
        if self._lost:
            raise ChildError("The broker closed a controller's connection.")
        return self._unanswered

    def publish(self, topic: bytes, payload: bytes) -> None:
        """With the next ``flush()``."""
        self._next = self._next % 0xFFFF + 1
        body = topic + _ID.pack(self._next) + payload
        self._out.append(packet(_PUBLISH_QOS1, body))
        self._unanswered += 1

    def flush(self) -> None:
        """Send what ``publish()`` collected, in one write."""
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send CONNECT (MQTT 3.1.1, 3.1)."""
        self._transport = cast("asyncio.Transport", transport)
        user, password = self._account
        # A clean session, user and password, no keep-alive.
        body = text("MQTT") + bytes((4, 0xC2, 0, 0)) + text("") + text(user) + text(password)
        self._transport.write(packet(_CONNECT, body))

    def data_received(self, data: bytes) -> None:
        """Both answers that may come are four bytes long."""
        data = self._in + data
        whole = len(data) - len(data) % 4
        self._in = data[whole:]
        for at in range(0, whole, 4):
            if data[at] == _PUBACK:
                self._unanswered -= 1
            elif data[at] == _CONNACK and not data[at + 3]:
                self.ready.set_result(None)
            else:
                self._refused(f"The broker answered {data[at : at + 4].hex()}.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._refused("The broker closed a controller's connection.")

    def _refused(self, why: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(ChildError(why))


async def _work(given: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(_CLIENTS):
        _, client = await loop.create_connection(
            lambda: _Publisher(given["user"], given["password"]), "127.0.0.1", given["port"]
        )
        await client.ready
        clients.append(client)
    say("ready", {})
    say("done", await Doors(given).run(clients))
    await serve_parent(dict)
    for client in clients:
        client.close()


def main() -> None:
    """Publish, then wait for the parent."""
    uvloop.run(_work(read_parameters()))


if __name__ == "__main__":
    main()
