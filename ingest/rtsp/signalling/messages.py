"""Parses RTSP 1.0 messages as cameras write them (RFC 2326, 4 to 7): bounded, and lenient."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from ingest.errors import StreamError

HEAD_MAX: Final = 16 << 10
BODY_MAX: Final = 64 << 10
_END: Final = re.compile(rb"\r?\n\r?\n")
_STATUS: Final = re.compile(r"RTSP/\d\.\d\s+(\d{3})(?:\s+(.*))?$")
_REQUEST: Final = re.compile(r"([A-Z_]{3,20})\s+(\S+)\s+RTSP/\d\.\d$")
_FIRST_BYTES: Final = re.compile(rb"RTSP/[\d.]*\s|[A-Z_]{3,20} ")
_FIRST_BYTES_MAX: Final = 24
_PART: Final = re.compile(rb"[A-Z_]{0,20}|RTSP/[\d.]*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_FOLDED: Final = (" ", "\t")
_DOLLAR: Final = 0x24  # RFC 2326, 10.12: $, channel, length in 2 bytes, packet
_FRAME_BYTES: Final = 5  # as many of it as are looked at
_CHANNELS: Final = 8
_REMEDY: Final = "Check that its port is the RTSP port; update its firmware."


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A reply, or with ``method`` a request by the camera.

    headers: names in lower case, all values of a name in order
    """

    status: int = 0
    reason: str = ""
    method: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the first header of this name, or an empty string."""
        return self.headers.get(name, ("",))[0]

    @property
    def cseq(self) -> int:
        """The CSeq number; -1 without one."""
        text = self.header("cseq")
        return int(text) if text.isdecimal() and text.isascii() and len(text) < 12 else -1


class MessageReader:
    """Call ``read()`` until a message is complete. A head is parsed once, however slowly its body arrives."""

    __slots__ = ("_head", "_whole_bytes")

    def __init__(self) -> None:
        self._head: Message | None = None
        self._whole_bytes = 0  # of the message whose head was read

    def read(self, view: memoryview, at: int, end: int) -> tuple[Message | None, int]:
        """Return the message that begins at ``at``, and its end; (None, at): it is incomplete. StreamError.

        Until it is complete ``at`` must be the start of the same message.
        """
        if self._head is None and not self._read_head(view, at, end):
            return None, at
        assert self._head is not None
        length = int(self._head.header("content-length") or "0")
        ends = at + self._whole_bytes
        if length and _is_frame(view, ends - length, end):
            ends, length = ends - length, 0
        if end < ends:
            return None, at
        message, self._head = replace(self._head, body=view[ends - length : ends].tobytes()), None
        return message, ends

    def _read_head(self, view: memoryview, at: int, end: int) -> bool:
        head = view[at : min(end, at + HEAD_MAX + 4)].tobytes()
        found = _END.search(head)
        if found is None:
            if len(head) > HEAD_MAX or not may_begin(head):
                raise StreamError("The camera does not speak RTSP.", _REMEDY)
            return False
        message = _parse_head(head[: found.start()].decode("utf-8", "replace"))
        length = message.header("content-length") or "0"
        if not (length.isdecimal() and length.isascii()) or len(length) > 9 or int(length) > BODY_MAX:
            raise StreamError(f"The camera announces a message of {length[:20]} bytes.", _REMEDY)
        self._head, self._whole_bytes = message, found.end() + int(length)
        return True


def _is_frame(view: memoryview, at: int, end: int) -> bool:
    """Whether a frame of RTP or RTCP stands where a body should: the announced length is wrong, for bodies are text."""
    return end - at >= _FRAME_BYTES and view[at] == _DOLLAR and view[at + 1] < _CHANNELS and view[at + 4] >> 6 == 2


def may_begin(head: bytes) -> bool:
    """Whether a message may begin with these bytes; if not, there is nothing to wait for."""
    if _FIRST_BYTES.match(head):
        return True
    return len(head) < _FIRST_BYTES_MAX and _PART.fullmatch(head) is not None


def read_message(view: memoryview, at: int, end: int) -> tuple[Message | None, int]:
    """See MessageReader."""
    return MessageReader().read(view, at, end)


def _parse_head(text: str) -> Message:
    """Join continued lines: a line that begins with a blank continues the one before (RFC 2326, 4.2; RFC 2616, 4.2)."""
    first, *lines = text.split("\n")
    headers: dict[str, list[str]] = {}
    values: list[str] = []
    for line in lines:
        if line.startswith(_FOLDED) and values:
            values[-1] = f"{values[-1]} {_CONTROL.sub(' ', line).strip()}".strip()
            continue
        name, found, value = line.partition(":")
        if found:
            values = headers.setdefault(name.strip().lower(), [])
            values.append(_CONTROL.sub(" ", value).strip())
    if status := _STATUS.match(first.strip()):
        reason = _CONTROL.sub(" ", status[2] or "")[:80]
        return Message(status=int(status[1]), reason=reason, headers=headers)
    if request := _REQUEST.match(first.strip()):
        return Message(method=request[1], headers=headers)
    raise StreamError("The camera does not speak RTSP.", _REMEDY)


SESSION_TIMEOUT_S: Final = 60
_TIMEOUT: Final = re.compile(r"timeout\s*=\s*(\d{1,6})", re.IGNORECASE | re.ASCII)
_INTERLEAVED: Final = re.compile(r"interleaved\s*=\s*(\d{1,3})", re.IGNORECASE | re.ASCII)
_SERVER_PORT: Final = re.compile(r"server_port\s*=\s*(\d{1,5})", re.IGNORECASE | re.ASCII)
_UDP: Final = re.compile(r"client_port\s*=|server_port\s*=|RTP/AVP/UDP|multicast", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SessionHeader:
    """``Session: x;timeout=60`` (RFC 2326, 12.37)."""

    name: str
    timeout_s: int

    @staticmethod
    def parse(text: str, timeout_s: int = SESSION_TIMEOUT_S) -> SessionHeader | None:
        """Parse the header; None: it has no session id. ``timeout_s``: the default timeout."""
        name, _, rest = text.partition(";")
        found = _TIMEOUT.search(rest)
        return SessionHeader(name.strip(), int(found[1]) if found else timeout_s) if name.strip() else None


@dataclass(frozen=True, slots=True)
class TransportHeader:
    """The Transport header of a reply to SETUP (RFC 2326, 12.39).

    channel: of RTP; None: not stated
    server_port: the port from which RTP is sent over UDP; 0: not stated
    multicast: whether the camera sends to a group
    """

    interleaved: bool
    channel: int | None
    server_port: int = 0
    multicast: bool = False

    @staticmethod
    def parse(text: str) -> TransportHeader:
        """Parse the header. Other fields (ssrc, addresses) are ignored."""
        if found := _INTERLEAVED.search(text):
            return TransportHeader(True, min(int(found[1]), 255))
        port = _SERVER_PORT.search(text)
        return TransportHeader(
            _UDP.search(text) is None and (not text or "/TCP" in text.upper()),
            None,
            min(int(port[1]), 65534) if port else 0,
            "multicast" in text.lower(),
        )
