"""The persistent MQTT session: reconnects until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import aiomqtt
import aiomqtt.exceptions

from domain.errors import TallenneError
from indexer.errors import BrokerAwayError, BrokerRefusedError
from indexer.mqtt.driver import REFUSED, ManualClient, Received
from indexer.mqtt.echo import EVERY_S, Echo
from indexer.mqtt.inbox import Inbox
from indexer.mqtt.losses import DROPPED_TOPIC, Forgotten
from indexer.mqtt.takeover import Takeovers
from indexer.settings import BrokerSettings
from runtime.backoff import Backoff
from runtime.pause import pause

_log = logging.getLogger(__name__)

BACKOFF_MIN_S: Final = 0.2
BACKOFF_MAX_S: Final = 2.0
"""One connection: an attempt costs a broker nothing, and one that is back is not kept waiting."""
GOOD_AFTER_S: Final = 10.0


class Session:
    """One client id, clean_session off: what arrives at the broker while we are away waits there.

    trouble: called with what is wrong, or with None when messages flow.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        patterns: Sequence[str],
        inbox: Inbox,
        *,
        trouble: Callable[[TallenneError | None], None],
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._settings = settings
        self._patterns = tuple(patterns)
        self._inbox = inbox
        self._trouble = trouble
        self._clock_ns = clock_ns
        self._client: ManualClient | None = None
        self.connections = 0
        self.forgotten = Forgotten()  # the broker had lost us, and with us perhaps what we had not yet received
        self.subscribed = False
        self.dropped = 0  # by the broker since its start, where it says so
        self._ask_dropped = True
        self._takeovers = Takeovers()
        self._echo = Echo()
        self._deaf = False  # the broker no longer serves the session: it is given up, and made anew

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``. Unacknowledged messages are the broker's again."""
        backoff = Backoff(first_s=BACKOFF_MIN_S, longest_s=BACKOFF_MAX_S, steady_s=GOOD_AFTER_S)
        while not stop.is_set():
            started = time.monotonic()
            try:
                if self._deaf:
                    await self._forget()
                await self._one_connection(stop)
            except (aiomqtt.MqttError, BrokerRefusedError, OSError) as error:
                self._takeovers.failed()
                self._say(error)
            await pause(stop, backoff.pause_s(time.monotonic() - started))

    @property
    def taken_over(self) -> int:
        """How often another client with our client id has taken the session over in the last minutes."""
        return self._takeovers.count(time.monotonic())

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """They are committed: the broker may forget them."""
        if self._client is not None:
            self._client.acknowledge(messages)

    async def _one_connection(self, stop: asyncio.Event) -> None:
        client = await self._make_client()
        # Before connecting: a persistent session sends at once, before we could subscribe.
        self._inbox.filled_by(client)
        self._client = client
        try:
            async with client:
                self._echo = Echo()
                refused = await client.subscribe_all(self._patterns)
                trouble = self._refusal(refused) if refused else None
                if trouble is not None and len(refused) == len(self._patterns):
                    raise trouble
                if self.connections and not client.session_present:
                    self.forgotten.note(time.monotonic(), self._clock_ns())
                    _log.warning("the broker has forgotten our session: what was waiting there may be lost")
                self._takeovers.opened(time.monotonic())
                self.connections += 1
                self.subscribed = True
                self._trouble(trouble)  # the others' doors go on
                await self._watch_dropped(client)
                await _either(client.closed(), stop.wait(), self._listen_for_echo(client))
                if self._deaf:
                    raise BrokerAwayError("The broker delivers nothing any more.", "The session there is made anew.")
                if not stop.is_set():
                    if client.closed_by_broker and not self._echo.awaited:
                        self._takeovers.closed()
                    raise BrokerAwayError("The connection to the broker was lost.", "It is opened again.")
        except BrokerAwayError as error:
            self._say(error)
        finally:
            self.subscribed = False
            self._client = None

    async def _make_client(self, *, clean_session: bool = False) -> ManualClient:
        settings = self._settings
        return ManualClient(
            settings.host,
            settings.port,
            user_name=settings.user_name,
            password=settings.password,
            client_id=settings.client_id,
            tls=await asyncio.to_thread(_tls, settings) if settings.tls else None,
            clock_ns=self._clock_ns,
            on_message=self._arrived,
            clean_session=clean_session,
        )

    async def _forget(self) -> None:
        """Let the broker throw the session away, and with it the subscriptions that it no longer serves."""
        async with await self._make_client(clean_session=True):
            self._deaf = False

    async def _listen_for_echo(self, client: ManualClient) -> None:
        """Return when the session is deaf; not at all where there is no topic for it."""
        topic = self._settings.echo_topic
        if not topic or await client.subscribe_all([topic]):
            await asyncio.Event().wait()
        while not self._echo.deaf(time.monotonic()):
            if not client.reading:
                self._echo.excused()
            self._echo.asked(time.monotonic())
            await client.publish(topic, b"", qos=1)
            await asyncio.sleep(EVERY_S)
        self._deaf = True

    def _arrived(self, message: Received) -> bool:
        if message.topic == self._settings.echo_topic:
            self._echo.heard(time.monotonic())
            self.acknowledge([message])
            return True
        if message.topic != DROPPED_TOPIC:
            return self._inbox.put(message)
        with contextlib.suppress(ValueError):
            self.dropped = int(message.payload)
        return True

    async def _watch_dropped(self, client: ManualClient) -> None:
        """mosquitto counts what it discards. A broker that refuses, or hangs up on us, is not asked again."""
        self.dropped = 0
        if not self._ask_dropped:
            return
        self._ask_dropped = False
        (code,) = await client.subscribe([(DROPPED_TOPIC, 0)])
        self._ask_dropped = getattr(code, "value", code) < REFUSED

    def _refusal(self, patterns: Sequence[str]) -> BrokerRefusedError:
        return BrokerRefusedError(
            f"The broker does not let us subscribe to {', '.join(patterns)} at QoS 1.",
            f"Allow it to the broker's user {self._settings.user_name}.",
        )

    def _say(self, error: Exception) -> None:
        self.subscribed = False
        where = f"{self._settings.host}:{self._settings.port}"
        if isinstance(error, TallenneError):
            self._trouble(error)
        elif isinstance(error, aiomqtt.exceptions.MqttConnectError):
            self._trouble(
                BrokerRefusedError(f"The broker at {where} refuses us: {error}.", "Check user name and password.")
            )
        else:
            self._trouble(
                BrokerAwayError(f"The broker at {where} does not answer ({error}).", "Check that it runs and listens.")
            )


async def _either(*waits: Coroutine[Any, Any, Any]) -> None:
    """Return when the first is over; the others are cancelled."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tls(settings: BrokerSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.tls_ca)
