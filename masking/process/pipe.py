"""What goes between a role and its masking process: apart, so that the role itself loads no decoder. Pure.

Each message is its kind (1 byte), its length (4 bytes, big-endian) and so many bytes.
"""

from __future__ import annotations

import json
import struct
from enum import IntEnum
from typing import Any, BinaryIO, Final

HEAD: Final = struct.Struct(">BI")
INPUT_MAX: Final = 512 << 20
OUTPUT_MAX: Final = 512 << 20
SAID_MAX: Final = 32 << 20
"""Of a message in JSON: tracks of a long clip are the longest."""


class Kind(IntEnum):
    """Of a message. The role sends ORDER, then CLIP in pieces of any size, then END; the process answers the rest."""

    ORDER = 1
    CLIP = 2
    END = 3
    HELD = 4
    PROGRESS = 5
    TRACKS = 6
    REFUSED = 7
    LACKING = 8


def packed(kind: Kind, body: bytes) -> bytes:
    """A message."""
    return HEAD.pack(kind, len(body)) + body


def packed_json(kind: Kind, body: Any) -> bytes:
    """A message in JSON."""
    return packed(kind, json.dumps(body).encode())


def read(source: BinaryIO) -> tuple[Kind, bytes] | None:
    """The next message; None: the other side has ended. ValueError: it is none of ours."""
    head = source.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    kind, length = HEAD.unpack(head)
    if length > INPUT_MAX:
        raise ValueError("a message is too long")
    body = source.read(length)
    return (Kind(kind), body) if len(body) == length else None
