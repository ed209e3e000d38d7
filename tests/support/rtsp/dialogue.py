"""One RTSP session against replies that a test writes: started, or playing."""

from __future__ import annotations

from ingest.rtsp.session import Session, State
from ingest.rtsp.signalling.auth import Credentials
from ingest.rtsp.signalling.habits import Habits
from tests.support.cameras.streams import description_reply

URL = "rtsp://10.0.0.2:554/live?x=1"


SDP = b"v=0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"


SETUP_REPLY = "Session: abc;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved={}\r\n"


def started(url: str = URL, user: str = "", password: str = "", habits: Habits | None = None) -> Session:
    session = Session(url, ("10.0.0.2", "entrance"), Credentials(user, password, lambda: "c0"), habits=habits)
    session.start()
    return session


def ok(cseq: int, headers: str = "", status: str = "200 OK") -> bytes:
    return f"RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{headers}\r\n".encode()


def playing(channels: str = "0-1", sdp: bytes = SDP, habits: Habits | None = None) -> Session:
    session = started(habits=habits)
    session.feed(description_reply(sdp, 1) + ok(2, SETUP_REPLY.format(channels)) + ok(3), 0)
    assert session.state is State.PLAYING
    session.outgoing()
    return session


def first_line(session: Session) -> str:
    return session.outgoing().decode().partition("\r\n")[0]


def challenge(*headers: str, cseq: int = 1) -> bytes:
    return ok(cseq, "".join(f"WWW-Authenticate: {header}\r\n" for header in headers), "401 Unauthorized")


def authorization(session: Session) -> str:
    return next(line[15:] for line in session.outgoing().decode().splitlines() if line.startswith("Authorization: "))
