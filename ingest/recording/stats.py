"""What a recorder says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStats:
    """Counters since the start; sizes and ages now. ``problems``: {"what", "remedy"}, as status files want them."""

    spool_bytes: int
    spool_max_bytes: int
    pending: int  # finished segments that the object store or the catalogue does not have yet
    oldest_pending_ns: int | None  # start of the oldest of them
    stored: int  # objects put, those found there already included
    uploaded: int  # rows committed
    shadows: int  # of them: hidden behind footage of the same or a higher epoch
    gaps_waiting: bool
    problems: tuple[dict[str, str], ...]
    gaps_dropped: int = 0  # gaps that could be written nowhere: time that is missing without a row
    damaged: int = 0  # segments set aside since the start


class Problems:
    """What is wrong at present, by topic. Said until it is taken back."""

    def __init__(self) -> None:
        self._by_topic: dict[str, dict[str, str]] = {}

    def say(self, topic: str, error: Exception) -> bool:
        """A TallenneError's what and remedy, or the kind of any other error. True: this is new."""
        known = self._by_topic.get(topic)
        what = getattr(error, "what", "") or f"{type(error).__name__} in {topic}."
        self._by_topic[topic] = {"what": what, "remedy": getattr(error, "remedy", "")}
        return known != self._by_topic[topic]

    def take_back(self, topic: str) -> None:
        self._by_topic.pop(topic, None)

    def all(self) -> tuple[dict[str, str], ...]:
        return tuple(self._by_topic.values())
