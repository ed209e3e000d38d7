"""RTSP messages (RFC 2326), without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from demo.errors import BadRequestError

_HEAD_LIMIT: Final = 16 * 1024
_BODY_LIMIT: Final = 64 * 1024
_REASONS: Final = {
    451: "Parameter Not Understood",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
}


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    uri: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def path(self) -> str:
        """Of the URI, without the host, a query, or a slash at the end."""
        _, found, rest = self.uri.partition("://")
        path = "/" + rest.partition("/")[2] if found else self.uri
        return path.partition("?")[0].rstrip("/")


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    close: bool = field(default=False, kw_only=True)  # hang up after it

    def to_bytes(self, cseq: str) -> bytes:
        """Return the response to the request with this CSeq (RFC 2326, 7)."""
        reason = _REASONS.get(self.status) or HTTPStatus(self.status).phrase
        lines = [f"RTSP/1.0 {self.status} {reason}", f"CSeq: {cseq}", "Server: Tallenne demo"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class RequestParser:
    """Bytes of a connection in, whole requests out. Interleaved frames (receiver reports) are passed over."""

    def __init__(self) -> None:
        self._data = bytearray()

    def push(self, data: bytes) -> list[Request]:
        """Take bytes and return complete requests. BadRequestError: this is not RTSP; the connection is unusable."""
        self._data += data
        found: list[Request] = []
        while self._data:
            if self._data[0] == ord("$"):
                if not self._pass_over():
                    break
            elif (request := self._take()) is not None:
                found.append(request)
            else:
                break
        return found

    def _pass_over(self) -> bool:
        if len(self._data) < 4 or len(self._data) < 4 + int.from_bytes(self._data[2:4], "big"):
            return False
        del self._data[: 4 + int.from_bytes(self._data[2:4], "big")]
        return True

    def _take(self) -> Request | None:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            if len(self._data) > _HEAD_LIMIT:
                raise BadRequestError("A request without an end.")
            return None
        head = self._data[:end].decode("utf-8", "replace").lstrip("\r\n").split("\r\n")
        words = head[0].split()
        if len(words) != 3 or words[2] != "RTSP/1.0":
            raise BadRequestError("Not an RTSP 1.0 request.")
        pairs = (line.partition(":") for line in head[1:])
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _BODY_LIMIT:
            raise BadRequestError("A body of no sensible length.")
        whole = end + 4 + int(length)
        if len(self._data) < whole:
            return None
        body = bytes(self._data[end + 4 : whole])
        del self._data[:whole]
        return Request(words[0], words[1], headers, body)
