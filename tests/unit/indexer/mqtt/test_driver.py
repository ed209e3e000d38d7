"""What indexer.mqtt.driver takes for granted about aiomqtt and paho.

When a new version breaks one of these, look there.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import paho.mqtt.client as paho
import pytest

from indexer.mqtt.driver import ManualClient

CONNACK = bytes((0x20, 2, 0, 0))


def test_driver_has_what_the_adapter_reaches_into() -> None:
    source = inspect.getsource(aiomqtt.Client)
    for name in ("self._client", "self._disconnected", "self._loop", "self._client.on_message = self._on_message"):
        assert name in source
    for name in ("_on_message", "_on_connect", "_on_disconnect", "_on_socket_open", "_on_socket_close", "_wait_for"):
        assert callable(getattr(aiomqtt.Client, name))
    for name in ("manual_ack_set", "loop_read", "disable_logger", "_sock_recv", "_sock_close", "_packet_queue"):
        assert callable(getattr(paho.Client, name))
    reading = inspect.getsource(paho.Client._packet_read)
    assert "self._in_packet['command'] == 0" in reading and "self._sock_recv(" in reading
    assert ".recv(" not in reading.replace("_sock_recv(", "")
    assert "_topic" in inspect.getsource(paho.MQTTMessage)


def test_driver_leaves_qos_1_unacknowledged_when_told_to() -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.manual_ack_set(True)
    assert "if self._manual_ack" in inspect.getsource(paho.Client._handle_publish)


@asynccontextmanager
async def broker(*answers: bytes, hangs_up: bool = True) -> AsyncIterator[ManualClient]:
    """Answers what comes, one packet after the other, then hangs up on the next. Yields a client of it."""
    left: list[bool] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(4096)
            writer.write(answer)
        await reader.read(4096)
        if not hangs_up:
            left.append(await reader.read(4096) == b"")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        yield ManualClient(
            "127.0.0.1",
            server.sockets[0].getsockname()[1],
            user_name="",
            password="",
            client_id="index",
            tls=None,
            clock_ns=time.time_ns,
            on_message=lambda message: True,
        )
        if not hangs_up:
            async with asyncio.timeout(5):
                while not left:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)


async def test_answer_that_cannot_come_any_more_is_not_waited_for() -> None:
    """A broker that restarts in the middle of a subscription: by itself the driver would wait for ten seconds."""
    async with broker(CONNACK) as client, asyncio.timeout(5):
        with pytest.raises(aiomqtt.MqttError):
            async with client:
                await client.subscribe_all(["access/#"])


async def test_connection_that_ends_before_it_was_accepted_is_not_waited_for() -> None:
    async with broker() as client, asyncio.timeout(5):
        with pytest.raises(aiomqtt.MqttError):
            async with client:
                pass


async def test_connection_given_up_is_closed() -> None:
    """A broker that accepts it later would hand the session to a connection that nobody reads."""
    async with broker(hangs_up=False) as client:
        client.timeout = 0.1
        with pytest.raises(aiomqtt.MqttError, match="timed out"):
            async with client:
                pass
