"""aiomqtt with acknowledgement by hand and reading that can pause: the one module that reaches into the driver.

aiomqtt 2.5 acknowledges a message when it arrives and drops what does not fit its queue; paho, below it, can leave the
acknowledgement to us. Here every message goes straight to a callback, QoS 1 is acknowledged when the caller says so,
and the socket is read only while the caller has room, so that TCP itself holds a sender back. The driver asks the
kernel four times for each message and once for each acknowledgement: here the socket is read into a buffer, messages
are taken from it directly, everything else is left to the driver, and acknowledgements leave together.
tests/unit/indexer holds this module to the driver's version.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple, Self, TypeVar

import aiomqtt
import paho.mqtt.client as paho

from indexer.mqtt.packets import acknowledgements, publish_at, size_at

READ_BYTES: Final = 64 * 1024
READS_AT_ONCE: Final = 200
"""Messages read before the loop may do something else."""
KEEPALIVE_S: Final = 30
REFUSED: Final = 128
T = TypeVar("T")
_KEEPALIVE_CODES: Final = (int(paho.MQTT_ERR_KEEPALIVE), 0x8D)  # as paho counts them, and as MQTT 5 does


class Received(NamedTuple):
    """A message as the broker sent it."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    retain: bool  # kept by the broker from an earlier time, not sent just now
    dup: bool  # sent before, perhaps
    received_ns: int
    client: Any  # the ManualClient that it came over, or None


class ManualClient(aiomqtt.Client):
    """One connection of a persistent session.

    on_message: called for every message, from the event loop; returns whether there is room for more. When it says
    no, nothing is read until resume().
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user_name: str,
        password: str,
        client_id: str,
        tls: ssl.SSLContext | None,
        clock_ns: Callable[[], int],
        on_message: Callable[[Received], bool],
        clean_session: bool = False,
    ) -> None:
        super().__init__(
            host,
            port,
            username=user_name or None,
            password=password or None,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V311,  # what packets.py reads
            clean_session=clean_session,
            tls_context=tls,
            keepalive=KEEPALIVE_S,
            timeout=10,
        )
        self._client.manual_ack_set(True)
        self._client.disable_logger()  # it would format a line for every packet
        self._from_socket = self._client._sock_recv  # b"" at its end; BlockingIOError when there is nothing now
        self._client._sock_recv = self._from_buffer  # type: ignore[method-assign, assignment]
        self._buffer = b""
        self._at = 0
        self._clock_ns = clock_ns
        self._deliver = on_message
        self._unacknowledged: set[int] = set()
        self._room = True
        self._descriptor = -1
        self.session_present = False

    @property
    def alive(self) -> bool:
        """Whether the connection is up."""
        return not self._disconnected.done()

    @property
    def reading(self) -> bool:
        """Whether there is room for what arrives."""
        return self._room

    @property
    def closed_by_broker(self) -> bool:
        """Whether the connection is over, and neither we nor a silent network ended it."""
        error = None if self.alive else self._disconnected.exception()
        code = getattr(error, "rc", None)
        return error is not None and getattr(code, "value", code) not in _KEEPALIVE_CODES

    async def closed(self) -> None:
        """Return when the connection is over, for whatever reason."""
        await asyncio.wait((self._disconnected,))
        self._disconnected.exception()  # mark it as retrieved

    async def subscribe_all(self, patterns: Sequence[str]) -> list[str]:
        """Subscribe at QoS 1. The patterns that the broker refuses, or grants at QoS 0 only."""
        if not patterns:
            return []  # a gym whose doors report nothing: MQTT has no empty subscription
        codes = await self.subscribe([(pattern, 1) for pattern in patterns])
        granted = [getattr(code, "value", code) for code in codes]
        return [pattern for pattern, code in zip(patterns, granted, strict=True) if code == 0 or code >= REFUSED]

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """In the order of arrival. Those of another or a lost connection are left out: the broker sends them again."""
        if not self.alive:
            return
        mids = [message.mid for message in messages if message.client is self and message.qos == 1]
        self._unacknowledged.difference_update(mids)
        if mids:
            self._client._packet_queue(paho.PUBACK, acknowledgements(mids), 0, 1)

    def resume(self) -> None:
        """There is room again."""
        if self._room or not self.alive or self._descriptor < 0:
            return
        self._room = True
        self._loop.add_reader(self._descriptor, self._read)
        self._loop.call_soon(self._read)  # the buffer may hold bytes that the socket no longer announces

    # Where the driver waits

    async def __aenter__(self) -> Self:
        """Connect. aiomqtt.MqttError: nothing is left open. An attempt given up could take the session over later."""
        try:
            return await super().__aenter__()
        except BaseException:
            self._client._sock_close()
            raise

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:
        """As the driver does, but no longer than the connection lasts: it would wait ten seconds for an answer to come.

        MqttError: timeout, or the connection ended.
        """
        if fut is self._disconnected:
            return await super()._wait_for(fut, timeout)
        waiting = asyncio.ensure_future(super()._wait_for(fut, timeout))
        try:
            await asyncio.wait((waiting, self._disconnected), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            raise aiomqtt.MqttError("the connection ended")
        finally:
            waiting.cancel()

    # What the driver calls.

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        if self._connected.done():
            super()._on_disconnect(client, userdata, flags, reason_code, properties)
            if self._disconnected.done():
                self._disconnected.exception()  # mark it as retrieved, or asyncio logs a warning
        else:  # the driver ignores it
            self._connected.set_exception(aiomqtt.MqttCodeError(reason_code, "the broker hung up"))
            self._connected.exception()  # mark it as retrieved: the attempt may have been given up already

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        self.session_present = bool(flags.session_present)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_message(self, client: Any, userdata: Any, message: paho.MQTTMessage) -> None:
        # .topic raises for bytes that are not UTF-8
        values = (bytes(message.payload), message.qos, message.mid, message.retain, message.dup)
        self._arrived(message._topic, *values)

    def _arrived(self, topic: bytes, payload: bytes, qos: int, mid: int, retain: bool, dup: bool) -> None:
        if qos == 1:
            if mid in self._unacknowledged:
                return  # sent again while we still hold it
            self._unacknowledged.add(mid)
        name = topic.decode("utf-8", "replace")
        self._room = self._deliver(Received(name, payload, qos, mid, retain, dup, self._clock_ns(), self))

    def _on_socket_open(self, client: Any, userdata: Any, sock: Any) -> None:
        """Called from a thread. The driver's reader is put in place first, ours replaces it."""
        super()._on_socket_open(client, userdata, sock)
        self._descriptor = sock.fileno()
        self._loop.call_soon_threadsafe(self._loop.add_reader, self._descriptor, self._read)
        self._loop.call_soon_threadsafe(self._read)  # should the driver's reader have been called in between

    def _on_socket_close(self, client: Any, userdata: Any, sock: Any) -> None:
        super()._on_socket_close(client, userdata, sock)
        self._descriptor = -1

    # Reading

    def _read(self) -> None:
        """Take packets while they come and there is room."""
        try:
            for _ in range(READS_AT_ONCE):
                if not self._room:
                    self._pause()
                    return
                if not self._packet() and not self._more():
                    return
        except Exception as exc:  # noqa: BLE001 whatever breaks in the driver breaks this connection only
            if not self._disconnected.done():
                self._disconnected.set_exception(exc)
            return
        self._loop.call_soon(self._read)

    def _packet(self) -> bool:
        """Whether there was a whole packet in the buffer. What the driver has begun to read it goes on with."""
        size = size_at(self._buffer, self._at)
        if not size:
            return False
        message = publish_at(self._buffer, self._at, size) if self._client._in_packet["command"] == 0 else None
        if message is None:
            self._client.loop_read()
        else:
            self._at += size
            self._arrived(*message)
        return True

    def _more(self) -> bool:
        """Whether there was more in the socket."""
        try:
            found = self._from_socket(READ_BYTES)
        except BlockingIOError:
            return False
        if not found:
            self._client.loop_read()  # reads the end once more, which calls the disconnect callback
            return False
        self._buffer, self._at = self._buffer[self._at :] + found, 0
        return True

    def _from_buffer(self, size: int) -> bytes:
        """The driver's way to the socket."""
        if self._at == len(self._buffer):
            self._buffer, self._at = self._from_socket(READ_BYTES), 0
        found = self._buffer[self._at : self._at + size]
        self._at += len(found)
        return found

    def _pause(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
