"""Messages that have arrived and are not yet committed."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from indexer.mqtt.driver import ManualClient, Received

MESSAGES_MAX: Final = 20_000
BYTES_MAX: Final = 32 << 20
_ROOM_AT: Final = 0.5


class Inbox:
    """Bounded: when full, the connection it is filled from is no longer read, and the sender waits.

    A broker that keeps to its in-flight window (NATS max_ack_pending, mosquitto max_inflight_messages) never fills it;
    messages at QoS 0 can. What has been taken still counts until it is said to be done(). What a lost connection
    brought stays and is committed: a duplicate, should it come again; a broker that lost its own copy sends it no more.
    """

    def __init__(self, *, messages_max: int = MESSAGES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._waiting: deque[Received] = deque()
        self._messages_max = messages_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._count = 0
        self._arrived = asyncio.Event()
        self._client: ManualClient | None = None
        self.pauses = 0

    def __len__(self) -> int:
        """Messages held, taken ones included."""
        return self._count

    def filled_by(self, client: ManualClient) -> None:
        """The connection to resume when there is room."""
        self._client = client

    def put(self, message: Received) -> bool:
        """Whether there is room for more. The message itself is always kept."""
        self._waiting.append(message)
        self._count += 1
        self._bytes += len(message.payload)
        self._arrived.set()
        if self._count < self._messages_max and self._bytes < self._bytes_max:
            return True
        self.pauses += 1
        return False

    async def take(self, most: int) -> list[Received]:
        """The next messages, at least one; waits for it."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self.take_now(most)

    def take_now(self, most: int) -> list[Received]:
        """The next messages, perhaps none."""
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def done(self, messages: list[Received]) -> None:
        """These are committed."""
        self._give_back(messages)

    def _give_back(self, messages: list[Received]) -> None:
        self._count -= len(messages)
        self._bytes -= sum(len(message.payload) for message in messages)
        below = self._count < self._messages_max * _ROOM_AT and self._bytes < self._bytes_max * _ROOM_AT
        if below and self._client is not None:
            self._client.resume()
