"""Atheris: any bytes from a camera give access units or one of our own errors, in bounded memory; nothing else.

python tests/fuzz/fuzz_rtsp.py -max_total_time=3600 CORPUS
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["ingest.rtp", "ingest.rtsp", "ingest.video"]):
    from ingest.errors import IngestError
    from ingest.media.init import make_init
    from ingest.rtp.track import Track
    from ingest.rtsp.session import Session
    from ingest.rtsp.signalling.auth import Credentials

DESCRIPTION = (
    b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:v\r\n"
    b"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000\r\na=control:s\r\n"
    b"a=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1188\r\n"
)
BEGUN = (
    b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: %d\r\n\r\n%s" % (len(DESCRIPTION), DESCRIPTION)
    + b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n"
    + b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nTransport: RTP/AVP/TCP;interleaved=2-3\r\n\r\n"
)


def plain(provider: atheris.FuzzedDataProvider) -> bytes:
    """Anything."""
    return provider.ConsumeBytes(1 << 20)


def packets(provider: atheris.FuzzedDataProvider) -> bytes:
    """Frames in nearly right order around fuzzed payloads, so that depacketizing is reached."""
    made, sequence, ticks = [], 0, 0
    while provider.remaining_bytes():
        flags = provider.ConsumeIntInRange(0, 255)
        sequence += 2 if flags & 0x70 == 0x70 else 1
        ticks += 3600 if flags & 1 else 0
        payload = provider.ConsumeBytes(provider.ConsumeIntInRange(0, 40))
        sound = flags & 0x0C == 0x0C
        head = bytes((0x80, (flags & 2) << 6 | (97 if sound else 96))) + (sequence & 0xFFFF).to_bytes(2, "big")
        body = head + (ticks & 0xFFFFFFFF).to_bytes(4, "big") + b"ssrc" + payload
        made.append((b"$\x02" if sound else b"$\x00") + len(body).to_bytes(2, "big") + body)
    return b"".join(made)


NAMES = (
    b"Location", b"Content-Base", b"Content-Location", b"Session", b"Transport", b"WWW-Authenticate", b"Public",
    b"RTP-Info", b"Connection", b"CSeq", b"Content-Type", b"Range", b"Retry-After",
)  # fmt: skip
VALUES = (
    b"rtsp://10.0.0.2/",
    b"rtsp://[",
    b"]/x",
    b"7;timeout=",
    b"RTP/AVP/TCP;unicast;interleaved=",
    b"RTP/AVP;client_port=",
    b'Digest realm="a", nonce="b", algorithm=',
    b"MD5",
    b"SHA-256",
    b"Basic realm=",
    b"OPTIONS, GET_PARAMETER",
    b"0-1",
)
LINES = (
    b"m=video 0 RTP/AVP 96",
    b"m=audio 0 RTP/AVP 97",
    b"a=control:",
    b"a=rtpmap:96 H264/90000",
    b"a=rtpmap:96 H265/90000",
    b"a=rtpmap:97 mpeg4-generic/48000",
    b"a=fmtp:96 sprop-parameter-sets=",
    b"a=fmtp:97 config=1188;sizelength=13",
    b"a=framerate:",
    b"b=AS:",
    b"c=IN IP4 ",
)


def replies(provider: atheris.FuzzedDataProvider) -> bytes:
    """Answers in the right order, of which each header and each line of the description may say anything."""
    made, number = [], 0
    while provider.remaining_bytes() and number < 12:
        number += 1
        status = (200, 200, 200, 200, 302, 401, 454, 500)[provider.ConsumeIntInRange(0, 7)]
        head = b"RTSP/1.0 %d X\r\nCSeq: %d\r\n" % (status, number)
        for _ in range(provider.ConsumeIntInRange(0, 4)):
            name = NAMES[provider.ConsumeIntInRange(0, len(NAMES) - 1)]
            value = VALUES[provider.ConsumeIntInRange(0, len(VALUES) - 1)]
            head += name + b": " + value + provider.ConsumeBytes(provider.ConsumeIntInRange(0, 12)) + b"\r\n"
        body = b""
        if provider.ConsumeBool():
            body = b"v=0\r\n"
            for _ in range(provider.ConsumeIntInRange(0, 10)):
                line = LINES[provider.ConsumeIntInRange(0, len(LINES) - 1)]
                body += line + provider.ConsumeBytes(provider.ConsumeIntInRange(0, 8)) + b"\r\n"
        made.append(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    return b"".join(made)


def once(data: bytes) -> None:
    """One session or track, in two pieces."""
    provider = atheris.FuzzedDataProvider(data)
    mode = provider.ConsumeIntInRange(0, 5)
    cut = provider.ConsumeIntInRange(0, 4096)
    session = Session("rtsp://10.0.0.2:554/live", ("10.0.0.2",), Credentials("gym", "secret"), audio=True)
    session.start()
    try:
        if 1 <= mode <= 4:
            session.feed(BEGUN, 0)
        if mode == 3:
            session._streams.track = Track(0, 96, "h265")
        elif mode == 2:
            session._streams.track = Track(0, 96, "h264", reliable=False)
        kind = plain if mode < 2 else packets if mode < 4 else replies
        rest = kind(provider)
        session.feed(rest[:cut], 1)
        session.feed(rest[cut:], 2)
        for item in session.take():
            if hasattr(item, "parameters"):
                make_init(item.parameters)
    except IngestError:
        return
    if session.track is not None:
        session.track.check()
    assert len(session.kept) < 100_000
    assert len(session.outgoing()) < 100 * len(data) + 10_000


if __name__ == "__main__":
    atheris.Setup(sys.argv, once)
    atheris.Fuzz()
