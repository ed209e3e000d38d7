"""Atheris: any bytes from a camera give access units or one of our own errors, in bounded memory; nothing else.

python tests/fuzz/fuzz_rtsp.py -max_total_time=3600 CORPUS
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["ingest.rtp", "ingest.rtsp", "ingest.video"]):
    from ingest.errors import IngestError
    from ingest.media.init import make_init
    from ingest.rtp.h264 import H264Payload
    from ingest.rtp.h265 import H265Payload
    from ingest.rtp.pictures import Pictures
    from ingest.rtp.track import Track
    from ingest.rtsp.auth import Credentials
    from ingest.rtsp.session import Session

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


def once(data: bytes) -> None:
    """One session or track, in two pieces."""
    provider = atheris.FuzzedDataProvider(data)
    mode = provider.ConsumeIntInRange(0, 3)
    cut = provider.ConsumeIntInRange(0, 4096)
    session = Session("rtsp://10.0.0.2:554/live", ("10.0.0.2",), Credentials("gym", "secret"), audio=True)
    session.start()
    try:
        if mode >= 1:
            session.feed(BEGUN, 0)
        if mode == 3:
            pictures = Pictures("h265", None)
            session.track = Track(0, 96, H265Payload(pictures))
        elif mode == 2:
            session.track = Track(0, 96, H264Payload(Pictures("h264", None)))
        rest = packets(provider) if mode >= 2 else provider.ConsumeBytes(1 << 20)
        session.feed(rest[:cut], 1)
        session.feed(rest[cut:], 2)
        for item in session.take():
            if hasattr(item, "parameters"):
                make_init(item.parameters)
    except IngestError:
        return
    assert len(session.kept) < 100_000
    assert len(session.outgoing()) < 100 * len(data) + 10_000


if __name__ == "__main__":
    atheris.Setup(sys.argv, once)
    atheris.Fuzz()
