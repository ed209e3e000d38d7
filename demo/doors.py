"""Door controllers: they publish events by MQTT, QoS 1, in the native format, and keep them while the broker is away.

Every event that the broker has taken is appended to a file, so that a check can work out which tags there must be.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiomqtt

from demo.settings import DemoDoor, DemoSettings
from demo.traffic import Happening, Traffic
from domain.access import Direction, EventKind
from domain.ids import EventId, new_id
from domain.time import from_iso, to_iso

_log = logging.getLogger(__name__)

EVENTS_FILE: Final = "demo-events.jsonl"
_KEPT_EVENTS: Final = 1000
_ANSWER_S: Final = 10.0
_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorEvent:
    """What a controller publishes."""

    event_id: EventId
    door: DemoDoor
    occurred_ns: int  # whole milliseconds, as in the message
    kind: EventKind
    direction: Direction
    credential: str

    @classmethod
    def of(cls, happening: Happening, now_ns: int) -> DoorEvent:
        """Return the event that a door reports of a happening."""
        return cls(
            event_id=EventId(new_id()),  # not seeded: a second run's events are not the first one's
            door=happening.door,
            occurred_ns=from_iso(to_iso(now_ns)),
            kind=happening.kind,
            direction=happening.direction,
            credential=happening.credential,
        )

    def payload(self) -> bytes:
        """Return the message as JSON, in the format of the native decoder."""
        return json.dumps(
            {
                "event_id": str(self.event_id),
                "occurred_at": to_iso(self.occurred_ns),
                "kind": self.kind.value,
                "credential": self.credential,
                "direction": self.direction.value,
            }
        ).encode()

    def line(self) -> dict[str, Any]:
        """Of the events file."""
        return {
            "event_id": str(self.event_id),
            "site": self.door.site,
            "door": self.door.external_id,
            "occurred_ns": self.occurred_ns,
            "kind": self.kind.value,
            "credential": self.credential,
        }


class Doors:
    """Lets the traffic happen: tells ``on_event`` (the pictures) at once, and the broker as soon as it listens.

    At most 1000 events are kept while the broker is away; the oldest go first and are counted in ``lost``.
    """

    def __init__(
        self,
        settings: DemoSettings,
        traffic: Traffic,
        on_event: Callable[[DoorEvent, Happening], None] = lambda *_: None,
    ) -> None:
        self._settings = settings
        self._traffic = traffic
        self._on_event = on_event
        self._kept: asyncio.Queue[DoorEvent] = asyncio.Queue(_KEPT_EVENTS)
        self._pending: DoorEvent | None = None
        self._file: Path = settings.run_directory / EVENTS_FILE
        self.published: Counter[str] = Counter()
        self.lost = 0
        self.broker_away = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; what has happened by then is still published, if the broker takes it."""
        async with asyncio.TaskGroup() as tasks:
            happen = tasks.create_task(self._happen(), name="demo traffic")
            deliver = tasks.create_task(self._deliver(stop), name="demo doors")
            await stop.wait()
            happen.cancel()
            await asyncio.wait([deliver], timeout=2.0)
            deliver.cancel()

    async def _happen(self) -> None:
        began = time.monotonic()
        while True:
            happening = self._traffic.next()
            await asyncio.sleep(max(0.0, began + happening.at_s - time.monotonic()))
            event = DoorEvent.of(happening, time.time_ns())
            self._on_event(event, happening)
            if self._kept.full():
                self._kept.get_nowait()
                self.lost += 1
            self._kept.put_nowait(event)

    async def _deliver(self, stop: asyncio.Event) -> None:
        settings = self._settings
        while True:
            try:
                async with aiomqtt.Client(
                    settings.broker_host,
                    settings.broker_port,
                    username=settings.broker_user,
                    password=settings.broker_password,
                    identifier=f"tallenne-demo-{new_id().hex[:8]}",
                    timeout=_ANSWER_S,
                ) as client:
                    self.broker_away = False
                    await self._publish(client, stop)
                    return
            except aiomqtt.MqttError as error:
                if not self.broker_away:
                    _log.warning("the broker is away: %s", type(error).__name__)
                self.broker_away = True
            if stop.is_set():
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _AGAIN_S)

    async def _publish(self, client: aiomqtt.Client, stop: asyncio.Event) -> None:
        """Returns when stopped and nothing is left. An event without an answer stays pending, under its own id."""
        while self._pending is not None or (await self._take(stop)):
            event = self._pending
            assert event is not None
            await client.publish(event.door.topic, event.payload(), qos=1)
            self._pending = None
            self.published[event.kind.value] += 1
            with self._file.open("a") as file:
                file.write(json.dumps(event.line()) + "\n")

    async def _take(self, stop: asyncio.Event) -> bool:
        while self._kept.empty():
            if stop.is_set():
                return False
            with contextlib.suppress(TimeoutError):
                self._pending = await asyncio.wait_for(self._kept.get(), 0.5)
                return True
        self._pending = self._kept.get_nowait()
        return True
