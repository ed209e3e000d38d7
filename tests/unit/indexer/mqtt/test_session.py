"""A session against a broker of a few lines that accepts everything and then hangs up."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from indexer.mqtt.inbox import Inbox
from indexer.mqtt.session import Session
from indexer.settings import BrokerSettings
from tests.support.footage.recording import until

ECHO = "$tallenne/index"
CONNECT, PUBLISH, SUBSCRIBE = 1, 3, 8


class Broker:
    """Hangs up on each connection: when the echo is published where there is one, else a moment after it is accepted.

    hears: the echo comes back before that
    """

    def __init__(self, *, echo: bool, hears: bool) -> None:
        self._echo, self._hears = echo, hears

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            while True:
                kind, size = await reader.readexactly(2)
                body = await reader.readexactly(size)  # below 128 bytes, all of them
                if kind >> 4 == CONNECT:
                    writer.write(bytes((0x20, 2, 1, 0)))
                elif kind >> 4 == SUBSCRIBE:
                    writer.write(bytes((0x90, 3)) + body[:2] + bytes((0x80 if b"$SYS" in body else 1,)))
                    if not self._echo and b"$SYS" not in body:
                        asyncio.get_running_loop().call_later(0.05, writer.close)
                elif kind >> 4 == PUBLISH:
                    if self._hears:
                        writer.write(bytes((kind, size)) + body)
                        await writer.drain()
                        await asyncio.sleep(0.05)
                    break
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    ("echo", "hears", "counted"),
    [
        pytest.param(False, False, True, id="no echo: a connection that worked"),
        pytest.param(True, True, True, id="heard itself"),
        pytest.param(True, False, False, id="a broker that cannot store: each is closed over an unacknowledged echo"),
    ],
)
async def test_only_connections_that_worked_count_as_taken_over(
    monkeypatch: pytest.MonkeyPatch, *, echo: bool, hears: bool, counted: bool
) -> None:
    monkeypatch.setattr("indexer.mqtt.session.BACKOFF_MAX_S", 0.1)
    broker, stop = Broker(echo=echo, hears=hears), asyncio.Event()
    async with await asyncio.start_server(broker.serve, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        settings = BrokerSettings(
            host="127.0.0.1", port=port, user_name="", password="", client_id="us", echo_topic=ECHO if echo else ""
        )
        session = Session(settings, ["access/#"], Inbox(), trouble=lambda _: None)
        running = asyncio.create_task(session.run(stop))
        await until(lambda: session.connections >= 6, seconds=20)
        assert (session.taken_over > 0) == counted
        stop.set()
        await running
