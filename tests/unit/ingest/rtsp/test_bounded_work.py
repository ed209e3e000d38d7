"""Whatever one camera sends, and wherever, costs linear time, and one turn of the loop a bounded part of it.

Work is counted in executed lines of Python, which is the same on any machine; what single calls of C do with long input
is held by a ratio: four times as much of it takes about four times as long.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import IngestError
from ingest.rtp.frames import SLACK
from ingest.rtsp.receiver import WORK_MAX
from ingest.rtsp.session import Session
from ingest.rtsp.signalling.auth import Credentials
from tests.cameras.speaker import HOST, URL, talked, usual
from tests.support.cameras.rtp import frame, h264_payloads

TURN_LINES = 80 * WORK_MAX  # a unit of work is a few dozen lines at most
KB = 1024
SPS, PPS = bytes.fromhex("6742c01ed903c56840000003004000000c03c58b92"), bytes.fromhex("68cb8cb2")
KEY = b"".join(frame(nal, n, 0, marker=n == 2) for n, nal in enumerate((SPS, PPS, b"\x65\x88" + b"\x55" * 40)))
SOUND_SDP = (
    "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000/1\r\na=control:track2\r\n"
    "a=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1188\r\n"
)


def reply(*headers: str, body: bytes = b"", status: str = "200 OK") -> bytes:
    lines = [f"RTSP/1.0 {status}", "CSeq: 1", *headers, f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def described(line: bytes) -> bytes:
    return reply(body=b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n" + line + b"\r\n")


def filled(piece: bytes, size: int) -> bytes:
    return piece * (size // len(piece))


def numbered(payloads: list[bytes], *, ticks: Callable[[int], int] = lambda n: 3600, **more: Any) -> bytes:
    return b"".join(frame(payload, 3 + n, ticks(n), **more) for n, payload in enumerate(payloads))


def in_fragments(nal: bytes) -> bytes:
    return numbered(h264_payloads(nal, 1400)) + frame(PPS, 3 + len(h264_payloads(nal, 1400)), 7200)


def sps(n: int) -> bytes:
    """All different."""
    return SPS[:-2] + bytes((1 + n % 255, 1 + n // 255 % 255)) + n.to_bytes(4, "big").replace(b"\0", b"\1") + b"\x80"


def stap(nals: list[bytes]) -> bytes:
    return b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


def tiny_pictures(count: int) -> bytes:
    """In two fragments each, behind so many key pictures that slices are not searched any more."""
    made = [frame(b"\x65\x88" + b"\x55" * 9, 3 + n, 3600 + 3600 * n, marker=True) for n in range(3)]
    for n in range(count):
        ticks, number = 3600 * (n + 4), 6 + 2 * n
        made += [
            frame(b"\x5c\x81\x9a\x55\x55\x55\x55", number, ticks),
            frame(b"\x5c\x41" + b"\x55" * 5, number + 1, ticks, marker=True),
        ]
    return b"".join(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """send: so many bytes, about; playing: after PLAY, not in reply to DESCRIBE; size: of the larger one"""

    name: str
    send: Callable[[int], bytes]
    playing: bool = True
    size: int = 1024 * KB


HEAD, BODY = {"playing": False, "size": 15 * KB}, {"playing": False, "size": 60 * KB}
PLACES = [
    # what the answer to DESCRIBE holds
    Place(
        name="sprop of zeros",
        send=lambda n: described(b"a=fmtp:96 sprop-parameter-sets=" + base64.b64encode(bytes(n * 3 // 4))),
        **BODY,
    ),
    Place(
        name="sprop of many sets",
        send=lambda n: described(b"a=fmtp:96 sprop-parameter-sets=" + filled(b"Z0LAHtkD,", n)),
        **BODY,
    ),
    Place(
        name="sprop of start codes",
        send=lambda n: described(b"a=fmtp:96 sprop-parameter-sets=" + filled(b"AAABZ0LA", n)),
        **BODY,
    ),
    Place(name="fmtp of semicolons", send=lambda n: described(b"a=fmtp:96 " + filled(b";", n)), **BODY),
    Place(name="many lines", send=lambda n: described(filled(b"a=control:x\r\n", n)), **BODY),
    Place(name="blank lines", send=lambda n: described(filled(b"\r\n", n)), **BODY),
    Place(name="control of slashes", send=lambda n: described(b"a=control:" + filled(b"/", n)), **BODY),
    Place(name="control of schemes", send=lambda n: described(b"a=control:" + filled(b"rtsp://", n)), **BODY),
    Place(name="control of dots", send=lambda n: described(b"a=control:" + filled(b"../", n)), **BODY),
    # headers
    Place(
        name="challenge of letters", send=lambda n: reply("WWW-Authenticate: Digest " + "a" * n, status="401 X"), **HEAD
    ),
    Place(
        name="challenge of quotes",
        send=lambda n: reply("WWW-Authenticate: Digest " + 'a="' * (n // 3), status="401 X"),
        **HEAD,
    ),
    Place(
        name="challenge of words",
        send=lambda n: reply("WWW-Authenticate: Digest " + "a " * (n // 2), status="401 X"),
        **HEAD,
    ),
    Place(
        name="challenge of commas", send=lambda n: reply("WWW-Authenticate: " + ", " * (n // 2), status="401 X"), **HEAD
    ),
    Place(
        name="challenge of schemes",
        send=lambda n: reply("WWW-Authenticate: " + "Basic, " * (n // 7), status="401 X"),
        **HEAD,
    ),
    Place(
        name="base of schemes",
        send=lambda n: reply(
            "Content-Base: " + "rtsp://" * (n // 7), body=b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        ),
        **HEAD,
    ),
    Place(name="status of blanks", send=lambda n: b"RTSP/1.0" + b" " * n + b"\r\n\r\n", **HEAD),
    Place(name="headers without end", send=lambda n: b"RTSP/1.0 200 OK\r\n" + filled(b"a:b\r\n", n) + b"\r\n", **HEAD),
    Place(
        name="folds without end", send=lambda n: b"RTSP/1.0 200 OK\r\nX: y\r\n" + filled(b" z\r\n", n) + b"\r\n", **HEAD
    ),
    Place(name="redirect", send=lambda n: reply("Location: rtsp://" + "[" * n, status="302 X"), **HEAD),
    # messages and bytes between frames
    Place(name="requests", send=lambda n: filled(b"OPTIONS * RTSP/1.0\r\n\r\n", n)),
    Place(name="replies to nothing", send=lambda n: filled(b"RTSP/1.0 200 OK\r\n\r\n", n)),
    Place(name="lines' ends", send=lambda n: filled(b"\r\n", n)),
    Place(name="garbage", send=lambda n: filled(bytes(range(0x80, 0xFF)), n)),
    Place(name="dollars", send=lambda n: filled(b"$", n)),
    Place(name="zeros", send=lambda n: bytes(n)),
    Place(name="heads of frames", send=lambda n: filled(b"$\x00\x00\x10\x80\x60\x00", n)),
    Place(name="frames of nobody with a byte between", send=lambda n: filled(b"$\x07\x00\x01x\x80", n)),
    Place(name="empty frames", send=lambda n: filled(b"$\x00\x00\x00", n)),
    Place(name="empty frames of nobody", send=lambda n: filled(b"$\x07\x00\x00", n)),
    Place(name="frames of RTCP", send=lambda n: filled(b"$\x01\x00\x1c\x80\xc8\x00\x06" + bytes(24), n)),
    Place(
        name="frames of sound",
        send=lambda n: b"".join(
            b"$\x02\x00\x11\x80\xe1" + m.to_bytes(2, "big") + bytes(8) + b"\x00\x10\x00\x08a" for m in range(n // 21)
        ),
    ),
    Place(
        name="frames of sound of many units",
        send=lambda n: b"".join(
            b"$\x02\x07\xce\x80\xe1" + m.to_bytes(2, "big") + bytes(8) + b"\x27\x10" + b"\x00\x08" * 625 + b"a" * 734
            for m in range(n // 2002)
        ),
    ),
    # packets
    Place(name="packets without payload", send=lambda n: numbered([b""] * (n // 16))),
    Place(name="packets of a byte", send=lambda n: numbered([b"\x7c"] * (n // 17))),
    Place(
        name="pictures of a packet",
        send=lambda n: numbered([b"\x41\x9a"] * (n // 18), ticks=lambda m: 3600 * m, marker=True),
    ),
    Place(
        name="fragments of a byte",
        send=lambda n: (
            frame(b"\x7c\x85\x88", 3, 3600) + b"".join(frame(b"\x7c\x05x", 4 + m, 3600) for m in range(n // 19))
        ),
    ),
    Place(
        name="fragments of two sizes",
        send=lambda n: (
            frame(b"\x7c\x85\x88", 3, 3600)
            + b"".join(frame(b"\x7c\x05x" + b"y" * (m % 2), 4 + m, 3600) for m in range(n // 19))
        ),
    ),
    Place(
        name="aggregation packets with bytes between",
        send=lambda n: b"".join(
            frame(stap([b"\x06\x01"] * 2000), 3 + number, 3600) + b"\x80" * 40 for number in range(n // 8060)
        ),
    ),
    Place(name="pictures of ten bytes", send=lambda n: tiny_pictures(n // 46), size=4096 * KB),
    Place(name="beginnings of fragments", send=lambda n: numbered([b"\x7c\x85\x88"] * (n // 19))),
    Place(
        name="numbers with holes",
        send=lambda n: b"".join(frame(b"\x41\x9a", 7 * m, 3600 * m, marker=True) for m in range(n // 18)),
    ),
    Place(
        name="sources in turn",
        send=lambda n: b"".join(frame(b"\x41\x9a", m // 2, 3600 * m, ssrc=m // 2) for m in range(n // 18)),
    ),
    Place(
        name="extensions and padding",
        send=lambda n: filled(b"$\x00\x00\x14\xb0\x60\x00\x01" + bytes(8) + b"\xff\xff\xff\xff\x00\x00\x00\x09", n),
    ),
    Place(name="aggregated units of a byte", send=lambda n: numbered([stap([b"\x06"] * 400)] * (n // 1216))),
    Place(
        name="parameter sets that change",
        send=lambda n: b"".join(
            frame(stap([sps(40 * m + k) for k in range(40)] + [b"\x65\x88a"]), 3 + m, 3600 * m, marker=True)
            for m in range(n // 1200)
        ),
    ),
    Place(name="parameter sets of zeros", send=lambda n: numbered([b"\x67" + bytes(1300)] * (n // 1316))),
    Place(name="a message of zeros", send=lambda n: in_fragments(b"\x06" + bytes(n))),
    Place(name="a message of start codes", send=lambda n: in_fragments(b"\x06" + filled(b"\x00\x00\x01", n))),
    Place(
        name="a message of trailing bits",
        send=lambda n: in_fragments(b"\x06" + filled(b"\x80\x00\x00", n) + b"\x00\x00\x01"),
    ),
    Place(name="a message of 255s", send=lambda n: in_fragments(b"\x06\x05" + filled(b"\xff", n) + b"\x00\x00\x01")),
    Place(name="a parameter set of start codes", send=lambda n: in_fragments(b"\x67" + filled(b"\x00\x00\x01\x68", n))),
    Place(name="a slice of start codes", send=lambda n: in_fragments(b"\x65" + filled(b"\x00\x00\x01\x65\x88", n))),
    Place(name="a slice of zeros", send=lambda n: in_fragments(b"\x65\x88" + bytes(n))),
]


class Lines:
    """Counts the lines that are executed in the package while it is entered."""

    def __init__(self) -> None:
        self.count = 0

    def _trace(self, frame_: FrameType, event: str, _: Any) -> Any:
        if event == "call":
            return self._trace if "/ingest/" in frame_.f_code.co_filename else None
        self.count += event == "line"
        return self._trace

    def __enter__(self) -> Lines:
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)


def fresh(place: Place) -> Session:
    session = Session(URL, (HOST,), Credentials("gym", "secret"), audio=True)
    session.start()
    if place.playing:
        talked(session, lambda asked: usual(asked) if asked.method != "DESCRIBE" else with_sound(usual(asked)))
        session.feed(KEY, 0)
    session.outgoing()
    return session


def with_sound(reply_: bytes) -> bytes:
    head, _, body = reply_.partition(b"\r\n\r\n")
    body += SOUND_SDP.encode()
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


def turns(session: Session, data: bytes) -> list[int]:
    """The lines of each turn until all is read, or the session is over."""
    found, rest = [], data
    while rest or session.behind:
        whole = session.kept + (b"" if session.behind else rest)
        rest = rest if session.behind else b""
        with Lines() as lines:
            try:
                session.receive(memoryview(whole + bytes(SLACK)), len(whole), 0)
            except IngestError:
                rest = b""
                session._receiver.behind = False
        found.append(lines.count)
        session.take()
        session.take_sounds()
        session.outgoing()
    return found


def seconds(place: Place, size: int) -> float:
    """CPU time, the least of a few. Without garbage collection, whose cost depends on what other tests left behind."""
    data, best = place.send(size), 1e9
    for _ in range(3):
        session = fresh(place)
        gc.collect()
        gc.disable()
        try:
            began = time.thread_time()
            with contextlib.suppress(IngestError):
                session.feed(data, 0)
            best = min(best, time.thread_time() - began)
        finally:
            gc.enable()
    return best


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_turn_of_the_loop_does_a_bounded_part(place: Place) -> None:
    lines = turns(fresh(place), place.send(place.size // 4))
    assert max(lines) < TURN_LINES


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_cost_is_linear(place: Place) -> None:
    small, large = seconds(place, place.size // 4), seconds(place, place.size)
    assert large < 0.002 or large < 8 * small, (small, large)


def test_quadratic_search_would_be_seen() -> None:
    """The control: what this module is for."""
    slow = re.compile(rb"\x00*\x00\x00\x01")

    def took(size: int) -> float:
        began = time.thread_time()
        slow.search(bytes(size))
        return time.thread_time() - began

    assert took(8 * KB) > 8 * took(2 * KB)


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.tuples(st.binary(min_size=1, max_size=12), st.integers(1, 3000)), min_size=1, max_size=4),
    frames=st.booleans(),
)
def test_any_bytes_repeated_cost_a_bounded_part_a_turn(pieces: list[tuple[bytes, int]], frames: bool) -> None:
    data = b"".join(piece * count for piece, count in pieces)
    if frames:
        data = b"".join(frame(data[at : at + 200], 3 + n, 3600) for n, at in enumerate(range(0, len(data), 200)))
    lines = turns(fresh(PLACES[-1]), data)
    assert max(lines, default=0) < TURN_LINES
    assert sum(lines) < 40 * len(data) + 20_000
