"""A door controller that publishes at a pace and keeps account of what the broker acknowledged."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho

from domain.time import NS

UNACKNOWLEDGED_MAX: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso_us(time_ns: int) -> str:
    """With microseconds: every event of a run has a time of its own, by which its row is found again."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat()


class Publisher(threading.Thread):
    """``account``: a file, a line for every event that the broker acknowledged: number, topic's number, occurred_ns.

    What is not acknowledged is sent again by paho over the next connection, as a controller would. ``held``: so many of
    the last events wait for ``release()``.
    """

    def __init__(
        self,
        port: int,
        password: str,
        *,
        client_id: str,
        topics: Sequence[str],
        events: int,
        rate: float,
        account: Path,
        held: int = 0,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(name="doors", daemon=True)
        self._held = held
        self._topics, self._events, self._rate = topics, events, rate
        self._more = more or {}
        self._account = account.open("w", buffering=1)
        self._lock = threading.Lock()
        self._pending: dict[int, str] = {}
        self._early: set[int] = set()
        self._halt = threading.Event()
        self.sent = self.acknowledged = self.connections = 0
        self.last_ns = 0
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
        client.username_pw_set("tallenne_doors", password)
        client.max_inflight_messages_set(UNACKNOWLEDGED_MAX)
        client.reconnect_delay_set(0.1, 0.5)  # type: ignore[arg-type]
        client.on_publish = self._on_publish
        client.on_connect = self._on_connect
        client.connect_async("127.0.0.1", port, keepalive=10)
        self._client = client

    def halt(self) -> None:
        self._halt.set()
        self.join(10)

    def release(self) -> None:
        self._held = 0

    @property
    def holding(self) -> bool:
        """Whether everything but what is held is acknowledged."""
        return self.acknowledged >= self._events - self._held

    @property
    def finished(self) -> bool:
        return self.acknowledged == self._events

    def run(self) -> None:
        self._client.loop_start()
        began = time.monotonic()
        while not self._halt.is_set() and not self.finished:
            due = min(self._events - self._held, int((time.monotonic() - began) * self._rate) + 1)
            while self.sent < due and len(self._pending) < UNACKNOWLEDGED_MAX:
                self._send(self.sent)
            self._halt.wait(0.01)
        self._client.disconnect()
        self._client.loop_stop()
        with self._lock:
            self._account.close()

    def _send(self, n: int) -> None:
        topic = n % len(self._topics)
        now_ns = time.time_ns() // 1000 * 1000
        self.last_ns = max(now_ns, self.last_ns + 1000)
        body = {
            "event_id": f"e{n}",
            "occurred_at": iso_us(self.last_ns),
            "kind": "held_open",
            "seq": n // len(self._topics) + 1,
            **self._more,
        }
        info = self._client.publish(self._topics[topic], json.dumps(body), qos=1)
        self.sent += 1
        with self._lock:
            self._pending[info.mid] = f"{n} {topic} {self.last_ns}\n"
            if info.mid in self._early:
                self._settle(info.mid)

    def _on_connect(self, *_: object) -> None:
        self.connections += 1

    def _on_publish(self, client: object, userdata: object, mid: int, *_: object) -> None:
        with self._lock:
            self._settle(mid)

    def _settle(self, mid: int) -> None:
        self._early.discard(mid)
        line = self._pending.pop(mid, None)
        if line is None:
            self._early.add(mid)
            return
        with contextlib.suppress(ValueError):
            self._account.write(line)
        self.acknowledged += 1


def read_account(path: Path) -> dict[int, tuple[int, int]]:
    """occurred_ns -> (the topic's number, the sequence number there)."""
    found = {}
    topics = 1 + max((int(line.split()[1]) for line in path.read_text().splitlines()), default=0)
    for line in path.read_text().splitlines():
        n, topic, occurred_ns = map(int, line.split())
        found[occurred_ns] = (topic, n // topics + 1)
    return found


def seconds(time_ns: int) -> float:
    return time_ns / NS
