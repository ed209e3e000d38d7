"""Requests of one RTSP connection (RFC 2326, 6): numbered, authenticated, matched with their replies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ingest.errors import CameraAwayError, CameraRefusedError, IngestError, StreamError
from ingest.rtsp.signalling.auth import Credentials, challenges
from ingest.rtsp.signalling.messages import Message

_ATTEMPTS: Final = 4
_CREDENTIALS: Final = "Check the camera's user_name and password file."
_CLEAR: Final = (
    "Switch Digest on there, or take rtsps://. Where neither goes, basic_auth = true in its configuration allows it: "
    "an eavesdropper then has the password."
)


@dataclass(frozen=True, slots=True)
class Request:
    """headers: besides CSeq, Authorization and Session; attempts: with how many challenges it was asked before"""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    attempts: int = 0


class Requests:
    """Call ``ask()``, send the bytes of ``outgoing()``, and pass each reply to ``answered_by()``."""

    __slots__ = ("_authenticated", "_credentials", "_number", "_out", "_waiting", "session_name")

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._number = 0
        self._waiting: dict[int, Request] = {}
        self._out: list[bytes] = []
        self._authenticated = False  # the camera has granted a request since its challenge
        self.session_name = ""

    @property
    def waiting(self) -> tuple[Request, ...]:
        """Requests without a reply, oldest first."""
        return tuple(self._waiting.values())

    @property
    def has_outgoing(self) -> bool:
        """Whether ``outgoing()`` has bytes."""
        return bool(self._out)

    def outgoing(self) -> bytes:
        """Return the bytes to send now."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def ask(self, request: Request) -> None:
        """Queue a request."""
        self._number += 1
        self._waiting[self._number] = request
        lines = [f"{request.method} {request.url} RTSP/1.0", f"CSeq: {self._number}", "User-Agent: Tallenne"]
        if answer := self._credentials.answer(request.method, request.url):
            lines.append(f"Authorization: {answer}")
        if self.session_name:
            lines.append(f"Session: {self.session_name}")
        lines += [f"{name}: {value}" for name, value in request.headers]
        self._out.append("\r\n".join([*lines, "", ""]).encode())

    def reply(self, status: str, number: int) -> None:
        """Queue a reply to a request by the camera."""
        self._out.append(f"RTSP/1.0 {status}\r\nCSeq: {max(0, number)}\r\n\r\n".encode())

    def forget(self, methods: tuple[str, ...]) -> None:
        """Stop waiting for replies to these requests."""
        self._waiting = {number: each for number, each in self._waiting.items() if each.method not in methods}

    def answered_by(self, reply: Message) -> Request | None:
        """Return the request to which this is the final reply; None: there is none, or the reply is not final.

        A reply without a number belongs to the only open request. So does an error with another number: some cameras
        answer unknown methods in this way.
        """
        number = reply.cseq
        if number not in self._waiting and len(self._waiting) == 1 and (number < 0 or reply.status >= 400):
            (number,) = self._waiting
        if number not in self._waiting or reply.status < 200:
            return None
        if reply.status < 300:
            self._authenticated = self._credentials.challenged
        return self._waiting.pop(number)

    def challenged(self, request: Request, reply: Message) -> None:
        """Repeat a request with an answer to the challenge, and again if the nonce was stale or has changed.

        CameraRefusedError: there is no answer, or the camera refused it.
        """
        offered = challenges(reply.headers.get("www-authenticate", []))
        credentials = self._credentials
        if not offered:
            raise CameraRefusedError("it asks for a password by an unknown method.", "Choose Digest there.")
        if not credentials.given:
            raise CameraRefusedError("it asks for user name and password.", _CREDENTIALS)
        best = offered[0]
        if not credentials.allow(best):
            raise CameraRefusedError("it asks for the password in the clear (Basic).", _CLEAR)
        first = not credentials.challenged
        renewed = best.nonce != credentials.nonce and (best.stale or self._authenticated)
        if not (first or renewed) or request.attempts >= _ATTEMPTS:
            raise CameraRefusedError("it refuses user name and password.", _CREDENTIALS)
        credentials.use(best)
        self.ask(replace(request, attempts=request.attempts + 1))


def refusal(method: str, status: int) -> IngestError:
    """Return the error for a status of 400 or more in reply to this method (RFC 2326, 7.1.1)."""
    if status == 403:
        return CameraRefusedError("it refuses user name and password.", _CREDENTIALS)
    if status in (404, 410):
        return CameraRefusedError("it has no such stream.", "Check the path of its address.")
    if status == 453 or status >= 500:
        return CameraAwayError(f"it answers {method} with {status}.", "It may serve too many viewers already.")
    return StreamError(f"it answers {method} with {status}.", "Check its address; update its firmware.")
