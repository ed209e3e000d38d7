"""Receiving with aiomqtt as it comes: the messages of a persistent session at QoS 1 are taken and forgotten.

No floor, since a client of its own takes a twentieth of it (mqtt_receive.py): what one would get from the library.

Runs as a child of frame/process.py. Parameters: ``port``, ``user``, ``password``, ``client_id``, ``topic``,
``events`` (0: subscribe and leave, so that what is published from now on waits for the session). Says ``done``.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiomqtt
import uvloop

from benchmarks.frame.side import read_parameters, say, serve_parent


async def _work(given: dict[str, Any]) -> None:
    count, first = 0, 0.0
    client = aiomqtt.Client(
        "127.0.0.1",
        given["port"],
        username=given["user"],
        password=given["password"],
        identifier=given["client_id"],
        clean_session=False,
    )
    cpu = time.process_time()
    async with client:
        await client.subscribe(given["topic"], qos=1)
        say("ready", {})
        if given["events"]:
            async for _ in client.messages:
                first = first or time.perf_counter()
                count += 1
                if count == given["events"]:
                    break
        took = time.perf_counter() - first if first else 0.0
        say("done", {"events": count, "s": took, "cpu_s": time.process_time() - cpu})
        await asyncio.sleep(0.2)  # the last acknowledgements
    if count:
        await _forget(given)
    await serve_parent(dict)


async def _forget(given: dict[str, Any]) -> None:
    """End the session at the broker: what comes later is not for it."""
    account = {"username": given["user"], "password": given["password"]}
    async with aiomqtt.Client("127.0.0.1", given["port"], identifier=given["client_id"], clean_session=True, **account):
        pass


def main() -> None:
    """Receive, then wait for the parent."""
    uvloop.run(_work(read_parameters()))


if __name__ == "__main__":
    main()
