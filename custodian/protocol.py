"""Messages on the custodian's sockets: a u32 big-endian length, then that much JSON. One answer per request, in order.

A request is ``{"op": ..., ...}``; an answer ``{"ok": ...}`` or ``{"error": {"code", "what", "remedy"}}``. Over
TLS an answer comes before any request: whether the caller's name is known.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
import struct
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from custodian.errors import CODES, CustodianAwayError, CustodianMisuseError
from domain.ids import CameraId, RecorderId, SegmentId
from storage.sealed import PayloadKey

REQUEST_MAX_BYTES: Final = 1 << 20
ANSWER_MAX_BYTES: Final = 16 << 20
SEGMENTS_MAX: Final = 10_000
"""Segments in one request: a day of ten-second segments, and some."""

_LENGTH: Final = struct.Struct(">I")
_CREDENTIALS: Final = struct.Struct("3i")


async def read_message(reader: asyncio.StreamReader, max_bytes: int) -> dict[str, Any] | None:
    """The next message; None when the other side has closed between two. CustodianMisuseError when it is malformed."""
    started = False
    try:
        (size,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        started = True
        if size > max_bytes:
            raise CustodianMisuseError(f"A message of {size} bytes is longer than {max_bytes}.")
        body = json.loads(await reader.readexactly(size))
    except asyncio.IncompleteReadError as exc:
        if started or exc.partial:
            raise CustodianAwayError("The other side closed the socket in mid-message.") from None
        return None
    except (ValueError, RecursionError):
        raise CustodianMisuseError("A message is not JSON.") from None
    if not isinstance(body, dict):
        raise CustodianMisuseError("A message is not a JSON object.")
    return body


def pack_message(body: dict[str, Any]) -> bytes:
    """One message, ready to be written."""
    data = json.dumps(body, separators=(",", ":")).encode()
    return _LENGTH.pack(len(data)) + data


def raise_error(error: dict[str, Any]) -> None:
    """Raise what the custodian reported."""
    raise CODES.get(error["code"], CustodianMisuseError)(error["what"], error.get("remedy", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is at the other end: a user id by the kernel's word, or the name in a verified certificate."""

    who: int | str
    until_s: float = math.inf  # UTC; a certificate is good for so long, a user's word has no end


def peer_of(writer: asyncio.StreamWriter) -> Peer:
    """SO_PEERCRED of a Unix socket connection (unix(7))."""
    descriptor = writer.get_extra_info("socket").fileno()
    with socket.fromfd(descriptor, socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        packed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(packed)
    return Peer(who=uid)


def key_to_json(key: PayloadKey) -> dict[str, Any]:
    """A payload key for the socket."""
    return {
        "segment_id": str(key.segment_id),
        "camera_id": str(key.camera_id),
        "start_ns": key.start_ns,
        "chunk_log2": key.chunk_log2,
        "core_sha256": key.core_sha256.hex(),
        "key": key.key.hex(),
        "recorders": {str(recorder_id): public_key.hex() for recorder_id, public_key in key.recorders.items()},
    }


def key_from_json(body: dict[str, Any]) -> PayloadKey:
    """Unpack a payload key."""
    return PayloadKey(
        segment_id=SegmentId(UUID(body["segment_id"])),
        camera_id=CameraId(UUID(body["camera_id"])),
        start_ns=body["start_ns"],
        chunk_log2=body["chunk_log2"],
        core_sha256=bytes.fromhex(body["core_sha256"]),
        key=bytes.fromhex(body["key"]),
        recorders={RecorderId(UUID(text)): bytes.fromhex(key) for text, key in body["recorders"].items()},
    )
