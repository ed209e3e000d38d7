"""RTSP 1.0 messages as cameras write them (RFC 2326, 4 to 7): bounded, and lenient where cameras are careless."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from ingest.errors import StreamError

HEAD_MAX: Final = 16 << 10
BODY_MAX: Final = 64 << 10
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(r"RTSP/\d\.\d\s+(\d{3})(?:\s+(.*))?$")
_REQUEST = re.compile(r"([A-Z_]{3,20})\s+(\S+)\s+RTSP/\d\.\d$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_REMEDY: Final = "Check that its port is the RTSP port; update its firmware."


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A reply, or with ``method`` a request of the camera's.

    headers: names in lower case, all values of a name in order
    """

    status: int = 0
    reason: str = ""
    method: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first of that name, or nothing."""
        return self.headers.get(name, ("",))[0]

    @property
    def cseq(self) -> int:
        """-1 without one."""
        text = self.header("cseq")
        return int(text) if text.isdecimal() and len(text) < 12 else -1


def read_message(view: memoryview, at: int, end: int) -> tuple[Message | None, int]:
    """A message that begins at ``at``, and where it ends; (None, at) while it is not whole. StreamError."""
    head = view[at : min(end, at + HEAD_MAX + 4)].tobytes()
    found = _END.search(head)
    if found is None:
        if len(head) > HEAD_MAX or not _may_become(head):
            raise StreamError("The camera speaks something that is not RTSP.", _REMEDY)
        return None, at
    message = _parse_head(head[: found.start()].decode("utf-8", "replace"))
    length = message.header("content-length") or "0"
    if not length.isdecimal() or len(length) > 9 or int(length) > BODY_MAX:
        raise StreamError(f"The camera announces a message of {length[:20]} bytes.", _REMEDY)
    begins = at + found.end()
    if begins + int(length) > end:
        return None, at
    ends = begins + int(length)
    return _with_body(message, view[begins:ends].tobytes()), ends


def _may_become(head: bytes) -> bool:
    """A first line that cannot become one of RTSP need not be waited for."""
    line = head[:20]
    return bool(line) and all(byte in b" /.ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789" for byte in line[:4])


def _parse_head(text: str) -> Message:
    lines = text.split("\n")
    first = lines[0].strip()
    headers: dict[str, list[str]] = {}
    for line in lines[1:]:
        name, found, value = line.partition(":")
        if found:
            headers.setdefault(name.strip().lower(), []).append(_CONTROL.sub(" ", value).strip())
    if status := _STATUS.match(first):
        reason = _CONTROL.sub(" ", status[2] or "")[:80]
        return Message(status=int(status[1]), reason=reason, headers=headers)
    if request := _REQUEST.match(first):
        return Message(method=request[1], headers=headers)
    raise StreamError("The camera speaks something that is not RTSP.", _REMEDY)


def _with_body(message: Message, body: bytes) -> Message:
    return Message(
        status=message.status, reason=message.reason, method=message.method, headers=message.headers, body=body
    )


SESSION_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True)
class SessionHeader:
    """``Session: x;timeout=60`` (RFC 2326, 12.37)."""

    name: str
    timeout_s: int

    @staticmethod
    def parse(text: str, timeout_s: int = SESSION_TIMEOUT_S) -> SessionHeader | None:
        """None when there is no name in it. ``timeout_s``: where it tells none."""
        name, _, rest = text.partition(";")
        found = re.search(r"timeout\s*=\s*(\d{1,6})", rest, re.IGNORECASE)
        return SessionHeader(name.strip(), int(found[1]) if found else timeout_s) if name.strip() else None


@dataclass(frozen=True, slots=True)
class TransportHeader:
    """What a camera answers to SETUP (RFC 2326, 12.39). ``channel``: of RTP; None when it does not say."""

    interleaved: bool
    channel: int | None

    @staticmethod
    def parse(text: str) -> TransportHeader:
        """Whatever else is in it (ssrc, addresses, stray spaces) is not needed."""
        found = re.search(r"interleaved\s*=\s*(\d{1,3})", text, re.IGNORECASE)
        if found:
            return TransportHeader(True, min(int(found[1]), 255))
        udp = re.search(r"client_port\s*=|server_port\s*=|RTP/AVP/UDP|multicast", text, re.IGNORECASE)
        return TransportHeader(udp is None and (not text or "/TCP" in text.upper()), None)
