"""What the embedded broker discarded: messages to topics that no filter names, as its log says.

MQTT 3.1.1 (section 3.3.5) lets a server acknowledge a message that its sender may not publish; NATS does. The sender
takes it for delivered.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from domain.errors import MisuseError
from pipeline.embedded.nats import topic_of

_LINE: Final = re.compile(rb'Publish Violation - Subject "((?:[^"\\]|\\.)*)"')
_SHOWN_S: Final = 86_400.0
_TOPICS_MAX: Final = 5
_READ_MAX_BYTES: Final = 1 << 20


class DiscardedError(MisuseError):
    """Messages of doors were acknowledged and discarded."""


class Discarded:
    """Counts from its making on, or from ``forget()``; a topic is remembered for a day after its last message."""

    def __init__(self, log: Path, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock_s = log, clock_s
        self.forget()

    def forget(self) -> None:
        """The topics have changed."""
        self._at = self._log.stat().st_size
        self._messages = 0
        self._last_s: dict[str, float] = {}

    def problem(self) -> DiscardedError | None:
        """Read what was logged since the last call; None when nothing was discarded within a day."""
        now_s = self._clock_s()
        for line in _LINE.finditer(self._new()):
            self._messages += 1
            topic = topic_of(line[1].decode("utf-8", "replace"))
            if topic in self._last_s or len(self._last_s) < _TOPICS_MAX:
                self._last_s[topic] = now_s
        self._last_s = {topic: last_s for topic, last_s in self._last_s.items() if now_s - last_s < _SHOWN_S}
        if not self._last_s:
            self._messages = 0
            return None
        return DiscardedError(
            f"Doors sent {self._messages} messages to topics that no [[door_system]] names:"
            f" {', '.join(map(repr, self._last_s))}. The broker acknowledged and discarded them.",
            "Correct the topic at the controller, or name it under [[door_system]]; what was sent before is lost.",
        )

    def _new(self) -> bytes:
        """Whole lines; of a flood the first part, then what comes after it."""
        with self._log.open("rb") as log:
            log.seek(self._at)
            data = log.read(_READ_MAX_BYTES)
        data = data[: data.rfind(b"\n") + 1]
        self._at += len(data)
        return data
