"""Frames on the sockets of live pictures: a kind, a length, the contents.

From ingest to live: MESSAGE, STREAM, PICTURE. From live to serve, which hands them on to the browser: MESSAGE, INIT,
FRAGMENT. Who connects says in one MESSAGE what is wanted, and ends it by closing the connection.
"""

from __future__ import annotations

import asyncio
import json
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, BinaryIO, Final

from live.errors import FrameError

FRAME_MAX: Final = 32 << 20
"""The largest group of pictures that is recorded as one is 32 MB; one picture is smaller."""
_HEAD: Final = struct.Struct(">BI")
_PICTURE: Final = struct.Struct(">qqB")
_KEY, _DAMAGED, _REPLAYED = 1, 2, 4


class Kind(IntEnum):
    MESSAGE = 0  # a JSON object
    STREAM = 1  # a JSON object: codec and parameter sets of the pictures that follow
    PICTURE = 2
    INIT = 3  # ftyp and moov
    FRAGMENT = 4  # moof and mdat


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What decodes the pictures that follow. init: ftyp and moov; sets: parameter sets without start codes, in order"""

    codec: str  # "h264" or "h265"
    mime: str  # RFC 6381
    init: bytes
    sets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One access unit.

    data: its NAL units, each behind its length in 4 bytes, without parameter sets
    pts_ticks: presentation time, 90 kHz, on the recorder's clock
    mono_ns: arrival of its last byte at the recorder, by this machine's monotonic clock
    replayed: it was received before the camera was watched; a picture follows that continues it
    """

    data: bytes
    pts_ticks: int
    mono_ns: int
    key: bool
    damaged: bool = False
    replayed: bool = False


def pack_frame(kind: Kind, body: bytes) -> bytes:
    """One frame."""
    return _HEAD.pack(kind, len(body)) + body


def pack_message(body: dict[str, Any]) -> bytes:
    """A MESSAGE."""
    return pack_frame(Kind.MESSAGE, json.dumps(body, separators=(",", ":")).encode())


def pack_stream(stream: Stream) -> bytes:
    """A STREAM."""
    sets = [each.hex() for each in stream.sets]
    body = {"codec": stream.codec, "mime": stream.mime, "init": stream.init.hex(), "sets": sets}
    return pack_frame(Kind.STREAM, json.dumps(body).encode())


def picture_head(*, size_bytes: int, pts_ticks: int, mono_ns: int, key: bool, damaged: bool, replayed: bool) -> bytes:
    """What precedes ``size_bytes`` of a picture's data, which are not copied for it."""
    flags = key * _KEY | damaged * _DAMAGED | replayed * _REPLAYED
    return _HEAD.pack(Kind.PICTURE, _PICTURE.size + size_bytes) + _PICTURE.pack(pts_ticks, mono_ns, flags)


def pack_picture(picture: Picture) -> bytes:
    """A PICTURE."""
    head = picture_head(
        size_bytes=len(picture.data),
        pts_ticks=picture.pts_ticks,
        mono_ns=picture.mono_ns,
        key=picture.key,
        damaged=picture.damaged,
        replayed=picture.replayed,
    )
    return head + picture.data


async def read_frame(reader: asyncio.StreamReader, max_bytes: int = FRAME_MAX) -> tuple[Kind, bytes] | None:
    """The next frame; None when the other side has closed. FrameError."""
    try:
        kind, size = _HEAD.unpack(await reader.readexactly(_HEAD.size))
        if size > max_bytes:
            raise FrameError(f"A frame of {size} bytes is longer than {max_bytes}.")
        return Kind(kind), await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except ValueError:
        raise FrameError("A frame is of an unknown kind.") from None


def read_frame_from(source: BinaryIO, max_bytes: int = FRAME_MAX) -> tuple[Kind, bytes] | None:
    """The same of a pipe that is waited for. FrameError."""
    head = source.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, size = _HEAD.unpack(head)
    if size > max_bytes or kind not in set(Kind):
        raise FrameError("A frame is too long, or of an unknown kind.")
    body = source.read(size)
    return (Kind(kind), body) if len(body) == size else None


def read_message(body: bytes) -> dict[str, Any]:
    """The JSON object of a MESSAGE. FrameError."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FrameError("A message is not a JSON object.")
    return found


def read_stream(body: bytes) -> Stream:
    """FrameError."""
    found = read_message(body)
    try:
        return Stream(
            codec=str(found["codec"]),
            mime=str(found["mime"]),
            init=bytes.fromhex(found["init"]),
            sets=tuple(bytes.fromhex(each) for each in found["sets"]),
        )
    except (KeyError, TypeError, ValueError):
        raise FrameError("A stream's description is damaged.") from None


def read_picture(body: bytes) -> Picture:
    """FrameError."""
    if len(body) <= _PICTURE.size:
        raise FrameError("A picture is empty.")
    pts_ticks, mono_ns, flags = _PICTURE.unpack_from(body)
    return Picture(
        data=body[_PICTURE.size :],
        pts_ticks=pts_ticks,
        mono_ns=mono_ns,
        key=bool(flags & _KEY),
        damaged=bool(flags & _DAMAGED),
        replayed=bool(flags & _REPLAYED),
    )
