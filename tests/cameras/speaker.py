"""A camera that speaks RTSP, in memory and in no time: whatever it does at a request is a function."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ingest.rtsp.session import Session
from ingest.rtsp.signalling.auth import Credentials
from ingest.rtsp.signalling.habits import Habits

HOST = "10.0.0.2"
URL = f"rtsp://{HOST}:554/live"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\n{session}"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n{track}"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the camera receives it."""

    method: str
    url: str
    number: int

    @property
    def path(self) -> str:
        """With its query."""
        return re.sub(r"^rtsp://[^/]*", "", self.url)

    def ok(self, *headers: str, body: str = "", status: str = "200 OK", number: int | None = None) -> bytes:
        """A reply to it."""
        lines = [f"RTSP/1.0 {status}", f"CSeq: {self.number if number is None else number}", *headers]
        lines += [f"Content-Length: {len(body)}"] if body else []
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Closed(Exception):  # noqa: N818 - it is what the camera does, no error
    """The camera closes the connection."""


Answer = Callable[[Asked], bytes]
"""What it sends at a request: nothing, a reply, anything. May raise Closed."""


def requests_of(data: bytes) -> list[Asked]:
    """In what a session has sent."""
    found = []
    for text in data.decode().split("\r\n\r\n")[:-1]:
        method, url, _ = text.partition("\r\n")[0].split(" ")
        number = re.search(r"CSeq: (\d+)", text)
        assert number is not None
        found.append(Asked(method, url, int(number[1])))
    return found


def usual(asked: Asked, *, control: str = "trackID=1", session_control: str = "*", base: str = f"{URL}/") -> bytes:
    """What a camera that does everything right answers."""
    if asked.method == "DESCRIBE":
        track = f"a=control:{control}\r\n" if control else ""
        session = f"a=control:{session_control}\r\n" if session_control else ""
        headers = [f"Content-Base: {base}"] if base else []
        return asked.ok(*headers, "Content-Type: application/sdp", body=SDP.format(session=session, track=track))
    if asked.method == "SETUP":
        return asked.ok("Session: 77;timeout=60", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
    return asked.ok("Session: 77")


def talked(session: Session, answer: Answer, mono_ns: int = 0) -> list[Asked]:
    """Until nobody has anything to say; what was asked. Closed is told to the session, and raised."""
    said: list[Asked] = []
    while data := session.outgoing():
        for asked in requests_of(data):
            said.append(asked)
            try:
                reply = answer(asked)
            except Closed:
                session.closed(mono_ns)
                raise
            session.feed(reply, mono_ns)
        assert len(said) < 100, "there is no end to it"
    return said


def session_of(habits: Habits | None = None, url: str = URL) -> Session:
    """One that has begun."""
    session = Session(url, (HOST,), Credentials("", ""), habits=habits)
    session.start()
    return session
