"""Depacketizing: three minutes of one camera at 4 Mbit/s, RTP over TCP, read in batches of a quarter of a second.

The packets are made here from a seed rather than coded, so that every revision is fed the same bytes: as many as there
are sequence numbers, so that one connection can be fed with them again and again. Not among the probes that are run by
default: older revisions do not have it. Under those it is run by its path, from their work tree. Where processor time
is too coarse, count instructions: ``valgrind --tool=cachegrind --cache-sim=no``, two runs with different ``--planted``,
one less the other.
"""

from __future__ import annotations

import base64
import importlib
import random
import struct
from collections.abc import Iterator

from benchmarks.probes.cost import main
from domain.time import NS
from ingest.access_unit import TICKS_PER_S
from ingest.rtsp.session import Session

_URL = "rtsp://10.0.0.2/live"
_SPS = bytes.fromhex("6764001eacd940a02ff9701100000303e90000ea600f162d96")
_PPS = bytes.fromhex("68ebecb22c")
_FPS, _GOP = 25, 50
_KEY_BYTES, _OTHER_BYTES = 100_000, 18_350
_PACKETS = 1 << 16
_PAYLOAD = 1400
_GULP_S, _GULP_BYTES = 0.25, 125_000
_SLACK = 32


def _payloads(nal: bytes) -> Iterator[bytes]:
    """A single NAL unit, or FU-A (RFC 6184, 5.6 and 5.8)."""
    if len(nal) <= _PAYLOAD:
        yield nal
        return
    room = _PAYLOAD - 2
    for at in range(1, len(nal), room):
        marks = (at == 1) << 7 | (at + room >= len(nal)) << 6
        yield bytes((nal[0] & 0x60 | 28, marks | nal[0] & 31)) + nal[at : at + room]


def _pictures() -> Iterator[tuple[int, list[bytes]]]:
    """Time and payloads of each."""
    seeded = random.Random(8)
    left, picture = _PACKETS, 0
    while left:
        key = picture % _GOP == 0
        size = int((_KEY_BYTES if key else _OTHER_BYTES) * seeded.uniform(0.7, 1.3))
        body = seeded.randbytes(size).replace(b"\x00", b"\x55")  # no start codes, as emulation prevention has it
        nals = (_SPS, _PPS, b"\x65\x88" + body) if key else (b"\x41\x9a" + body,)
        payloads = [one for nal in nals for one in _payloads(nal)]
        if len(payloads) > left:
            payloads = list(_payloads(b"\x41\x9a" + body[: (left - 1) * (_PAYLOAD - 2) + 700]))
        yield picture * TICKS_PER_S // _FPS, payloads
        left -= len(payloads)
        picture += 1


def _packets() -> tuple[bytearray, int]:
    """As they come over the connection, and how many pictures they are."""
    data, sequence, pictures = bytearray(), 0, 0
    for ticks, payloads in _pictures():
        for number, payload in enumerate(payloads):
            kind = (number == len(payloads) - 1) << 7 | 96
            head = struct.pack(">BBHII", 0x80, kind, sequence, ticks, 0x1234ABCD)
            data += struct.pack(">BBH", 0x24, 0, len(head) + len(payload)) + head + payload
            sequence += 1
        pictures += 1
    assert sequence == _PACKETS
    return data, pictures


def _playing() -> Session:
    """A session whose camera has granted everything."""
    try:
        auth = importlib.import_module("ingest.rtsp.signalling.auth")
    except ModuleNotFoundError:
        auth = importlib.import_module("ingest.rtsp.auth")  # where it was before signalling had a folder
    session = Session(_URL, ("10.0.0.2",), auth.Credentials("", ""))
    session.start()
    sets = ",".join(base64.b64encode(one).decode() for one in (_SPS, _PPS))
    sdp = (
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:1\r\n"
    )
    transport = "Session: 7\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
    for number, reply in enumerate((f"Content-Length: {len(sdp)}\r\n\r\n{sdp}", f"{transport}\r\n", "\r\n"), 1):
        session.outgoing()
        session.feed(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{reply}".encode(), 0)
    return session


if __name__ == "__main__":
    data, pictures = _packets()
    view, whole = memoryview(data), len(data)
    received = memoryview(bytearray(2 * _GULP_BYTES + _SLACK))
    session = _playing()

    def work() -> None:
        """Depacketize the film, once."""
        seen = 0
        for number, end in enumerate(range(_GULP_BYTES, whole + _GULP_BYTES, _GULP_BYTES)):
            at, until = end - _GULP_BYTES - len(session.kept), min(end, whole)
            received[: until - at] = view[at:until]  # as the kernel does: the packets are moved in the buffer
            session.receive(received, until - at, int(number * _GULP_S * NS))
            seen += len(session.take())
        assert seen == pictures, (seen, pictures)

    main(work, repeat=8)
