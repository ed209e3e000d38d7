"""The decoder of each topic, and names that identify events."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from paho.mqtt.client import topic_matches_sub

from domain.ids import SiteId
from indexer.decoders import DecodedEvent, Decoder, decoder
from indexer.settings import TopicRule

_TOPICS_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a topic leads."""

    site_id: SiteId
    name: str  # of the decoder
    decode: Decoder
    ids_restart: bool = False


class Rules:
    """The configured topics, first match wins. IndexMisuseError for an unknown decoder."""

    def __init__(self, rules: Sequence[TopicRule]) -> None:
        self.patterns = tuple(dict.fromkeys(rule.pattern for rule in rules))
        routes = [
            (
                rule.pattern,
                Route(
                    site_id=rule.site_id,
                    name=rule.decoder,
                    decode=decoder(rule.decoder),
                    ids_restart=rule.ids_restart,
                ),
            )
            for rule in rules
        ]

        @lru_cache(_TOPICS_REMEMBERED)
        def find(topic: str) -> Route | None:
            return next((route for pattern, route in routes if topic_matches_sub(pattern, topic)), None)

        self._find = find

    def route(self, topic: str) -> Route | None:
        """None: no rule names this topic (any more)."""
        return self._find(topic)


class Names:
    """Keyed hashes: the same in all indexers, useless without the key to a reader of the rows."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of_event(self, route: Route, event: DecodedEvent, received_ns: int) -> bytes:
        """32 bytes that name this event in every redelivery."""
        # Decoded texts are printable, so U+001F separates them without doubt.
        parts = ("event", str(route.site_id), route.name, *event.dedup)
        if route.ids_restart:
            parts += (str(event.occurred_ns), event.kind, event.credential or "", event.number or "")
        if event.by_receipt:
            parts += (str(received_ns),)
        return self._digest("\x1f".join(parts).encode())

    def of_message(self, topic: str, payload: bytes) -> bytes:
        """32 bytes that name a message that was not understood."""
        return self._digest(b"message\x1f" + topic.encode() + b"\x00" + payload)

    def of_correction(self, replaced: bytes) -> bytes:
        """32 bytes that name the correction of one event, which has at most one."""
        return self._digest(b"correction\x1f" + replaced)

    def _digest(self, data: bytes) -> bytes:
        return hashlib.blake2b(data, key=self._secret, digest_size=32).digest()
