"""Door controllers: native events at QoS 1, at a rate or as fast as the broker takes them.

Runs as a child of frame/process.py. Parameters: ``port``, ``user``, ``password``, ``topics``, ``credentials``,
``events``, ``rate`` (events a second; 0: no pace), ``from_ns`` and ``to_ns`` (occurred evenly between them; without
them: occurred when sent), ``seed``. Says ``done`` with what it did.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from typing import Any

import aiomqtt
import uvloop

from benchmarks.frame.side import read_parameters, say, serve_parent
from domain.time import to_iso

_CLIENTS = 4
_AT_ONCE = 200  # unanswered publications of each client


class Doors:
    """All controllers."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given
        self._dice = random.Random(given["seed"])
        self._late_s = 0.0
        self.sent = 0

    async def run(self, clients: list[aiomqtt.Client]) -> dict[str, float]:
        """Publish them all; what it took."""
        given = self._given
        places = [asyncio.Semaphore(_AT_ONCE) for _ in clients]
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(given["events"]):
                if given["rate"]:
                    wait_s = began + number / given["rate"] - time.perf_counter()
                    if wait_s > 0:
                        await asyncio.sleep(wait_s)
                    self._late_s = max(self._late_s, -wait_s)
                place = number % len(clients)
                await places[place].acquire()
                group.create_task(self._publish(clients[place], places[place], number))
        took = time.perf_counter() - began
        return {"events": self.sent, "s": took, "per_s": self.sent / took, "late_max_ms": self._late_s * 1e3}

    async def _publish(self, client: aiomqtt.Client, place: asyncio.Semaphore, number: int) -> None:
        try:
            await client.publish(self._dice.choice(self._given["topics"]), self._payload(number), qos=1, timeout=60)
            self.sent += 1
        finally:
            place.release()

    def _payload(self, number: int) -> bytes:
        given = self._given
        occurred_ns = time.time_ns()
        if given.get("from_ns"):
            occurred_ns = given["from_ns"] + (given["to_ns"] - given["from_ns"]) * number // given["events"]
        body = {
            "event_id": str(uuid.uuid4()),
            "occurred_at": to_iso(occurred_ns),
            "kind": "granted",
            "direction": "in",
            "credential": self._dice.choice(given["credentials"]),
        }
        return json.dumps(body).encode()


async def _work(given: dict[str, Any]) -> None:
    clients = [
        aiomqtt.Client("127.0.0.1", given["port"], username=given["user"], password=given["password"])
        for _ in range(_CLIENTS)
    ]
    for client in clients:
        client.pending_calls_threshold = 2 * _AT_ONCE
        await client.__aenter__()
    say("ready", {})
    say("done", await Doors(given).run(clients))
    await serve_parent(dict)
    for client in clients:
        await client.__aexit__(None, None, None)


def main() -> None:
    """Publish, then wait for the parent."""
    uvloop.run(_work(read_parameters()))


if __name__ == "__main__":
    main()
