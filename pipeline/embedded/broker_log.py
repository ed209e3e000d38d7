"""What only the embedded broker's log says: messages that it discarded, and clients that take a session over.

MQTT 3.1.1 (section 3.3.5) lets a server acknowledge a message that its sender may not publish; NATS does. The sender
takes it for delivered. And it disconnects a client whose id another one brings (section 3.1.4) without a reason: the
client that is cut off cannot know why.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from domain.errors import MisuseError
from pipeline.embedded.nats import topic_of

_DISCARDED: Final = re.compile(rb'Publish Violation - Subject "((?:[^"\\]|\\.)*)"')
_REPLACED: Final = re.compile(rb' (\S+) - mid:\d+ .*Replacing old client "(\S+) .* same client ID "([^"]*)"')
_SHOWN_S: Final = 86_400.0
_TAKEN_OVER_S: Final = 600.0
_TAKEN_OVER_MIN: Final = 2
"""Once may be the same client, whose old connection the broker has not yet seen end."""
_TOPICS_MAX: Final = 5
_READ_MAX_BYTES: Final = 1 << 20


class DiscardedError(MisuseError):
    """Messages of doors were acknowledged and discarded."""


class TakenOverError(MisuseError):
    """Another client uses the client id of the role index."""


class BrokerLog:
    """Reads on from its making, over restarts of the broker; a topic is remembered for a day after its last message."""

    def __init__(self, log: Path, client_id: str = "", *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """``client_id``: of the role index."""
        self._log, self._client_id, self._clock_s = log, client_id.encode(), clock_s
        self._at = log.stat().st_size if log.exists() else 0
        self._messages = 0
        self._last_s: dict[str, float] = {}  # by topic
        self._taken_s: deque[float] = deque(maxlen=1000)
        self._taken_by: tuple[str, str] = ("", "")  # the addresses of the last two

    def forget_topics(self) -> None:
        """They have changed: what was logged so far says nothing of those that are in force now."""
        self._read()
        self._messages, self._last_s = 0, {}

    def discarded(self) -> DiscardedError | None:
        """None when nothing was discarded within a day."""
        self._read()
        now_s = self._clock_s()
        self._last_s = {topic: last_s for topic, last_s in self._last_s.items() if now_s - last_s < _SHOWN_S}
        if not self._last_s:
            self._messages = 0
            return None
        return DiscardedError(
            f"Doors sent {self._messages} messages to topics that no [[door_system]] names:"
            f" {', '.join(map(repr, self._last_s))}. The broker acknowledged and discarded them.",
            "Correct the topic at the controller, or name it under [[door_system]]; what was sent before is lost.",
        )

    def taken_over(self) -> TakenOverError | None:
        """None when no other client used the role's client id within ten minutes."""
        self._read()
        while self._taken_s and self._clock_s() - self._taken_s[0] >= _TAKEN_OVER_S:
            self._taken_s.popleft()
        if len(self._taken_s) < _TAKEN_OVER_MIN:
            return None
        new, old = self._taken_by
        return TakenOverError(
            f"Another client at the broker uses the client id {self._client_id.decode()!r} of the role index:"
            f" {len(self._taken_s)} times in the last 10 minutes one took the session of the other, the last time"
            f" {new} that of {old}. Events may go to the other.",
            "Find it by these addresses, or at what bridges doors to this broker, and give it a client id of its own."
            " Change the doors' password if it is not a client of yours.",
        )

    def _read(self) -> None:
        """Take what was logged since the last time: whole lines; of a flood the first part, then what comes after."""
        if not self._log.exists():
            return
        if self._log.stat().st_size < self._at:
            self._at = 0  # it was rotated
        with self._log.open("rb") as log:
            log.seek(self._at)
            data = log.read(_READ_MAX_BYTES)
        data = data[: data.rfind(b"\n") + 1]
        self._at += len(data)
        now_s = self._clock_s()
        for line in _DISCARDED.finditer(data):
            self._note_topic(topic_of(line[1].decode("utf-8", "replace")), now_s)
        for line in _REPLACED.finditer(data):
            if line[3] == self._client_id:
                self._taken_s.append(now_s)
                self._taken_by = (line[1].decode("utf-8", "replace"), line[2].decode("utf-8", "replace"))

    def _note_topic(self, topic: str, now_s: float) -> None:
        self._messages += 1
        if topic in self._last_s or len(self._last_s) < _TOPICS_MAX:
            self._last_s[topic] = now_s
