"""MQTT 3.1.1 packets in a buffer (OASIS standard, sections 2.2 and 3.3), as far as receiving fast needs them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

_PUBLISH: Final = 0x30
_PUBACK: Final = b"\x40\x02"
_LENGTH_MAX_BYTES: Final = 4


class Publish(NamedTuple):
    topic: bytes
    payload: bytes
    qos: int  # 0 or 1
    mid: int  # 0 at QoS 0
    retain: bool
    dup: bool


def size_at(data: bytes, at: int) -> int:
    """Of the packet that begins at ``at``, its header included; 0 while it is not there as a whole.

    A malformed length counts as complete: the reader then raises.
    """
    length = shift = 0
    for place in range(at + 1, min(len(data), at + 1 + _LENGTH_MAX_BYTES)):
        byte = data[place]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            size = place + 1 + length - at
            return size if at + size <= len(data) else 0
    return len(data) - at if len(data) - at > _LENGTH_MAX_BYTES else 0


def publish_at(data: bytes, at: int, size: int) -> Publish | None:
    """The whole packet at ``at`` as a message; None when it is something else, at QoS 2, or malformed."""
    first = data[at]
    qos = (first >> 1) & 3
    if first & 0xF0 != _PUBLISH or qos > 1:
        return None
    end = at + size
    body = at + 2
    while data[body - 1] >= 0x80:
        body += 1
        if body > min(end, at + 1 + _LENGTH_MAX_BYTES):
            return None  # a malformed length: the driver finds out
    topic_from = body + 2
    topic_end = topic_from + ((data[body] << 8) | data[body + 1]) if topic_from <= end else end + 1
    start = topic_end + 2 * qos
    if start > end or topic_end == topic_from:
        return None
    mid = (data[topic_end] << 8) | data[topic_end + 1] if qos else 0
    return Publish(data[topic_from:topic_end], data[start:end], qos, mid, bool(first & 1), bool(first & 8))


def acknowledgements(mids: Iterable[int]) -> bytes:
    """A PUBACK for each, one behind the other."""
    return b"".join(_PUBACK + mid.to_bytes(2, "big") for mid in mids)
