"""What a libav worker says to who started it: messages over a stream, each with a bounded length.

The reader believes nothing of the worker's, which a hostile stream may have taken over.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple

HEAD: Final = struct.Struct(">BqI")
LENGTH_MAX: Final = 24 << 20
"""Of one picture, compressed."""


class Kind(IntEnum):
    """``value`` and ``body`` of each."""

    HELD = 1  # JSON: what confines the worker
    STREAM = 2  # JSON: what was found
    PACKET = 3  # its time in ticks of 90 kHz; Annex B
    HIDDEN = 4  # the same, of a picture that players do not show
    LOST = 5  # how many RTP packets are missing
    ERROR = 6  # JSON: why it ends
    END = 7


_KINDS: Final = frozenset(Kind)


class Message(NamedTuple):
    """One of them."""

    kind: Kind
    value: int
    body: bytes


class MessageError(ValueError):
    """The worker sends an invalid message."""


def packed(kind: Kind, value: int = 0, body: bytes = b"") -> bytes:
    """For the stream."""
    return HEAD.pack(kind, value, len(body)) + body


class Splitter:
    """Pure: bytes in as they come, messages out. Holds one unfinished message at most."""

    def __init__(self) -> None:
        self._held = bytearray()

    def push(self, data: bytes) -> list[Message]:
        """Those that are whole now. MessageError."""
        self._held += data
        found, at = [], 0
        while len(self._held) - at >= HEAD.size:
            kind, value, length = HEAD.unpack_from(self._held, at)
            if length > LENGTH_MAX:
                raise MessageError(f"a message of {length} bytes")
            if kind not in _KINDS:
                raise MessageError(f"a message of kind {kind}")
            end = at + HEAD.size + length
            if len(self._held) < end:
                break
            found.append(Message(Kind(kind), value, bytes(memoryview(self._held)[at + HEAD.size : end])))
            at = end
        del self._held[:at]
        return found
