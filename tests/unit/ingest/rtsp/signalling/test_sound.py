"""Which microphone is set up, and what is said where none is."""

from __future__ import annotations

import pytest

from ingest.rtsp.signalling import sdp
from ingest.rtsp.signalling.sound import microphone

BASES = ("rtsp://10.0.0.2/live/",)
VIDEO = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:1\r\n"
AAC = (
    b"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000/1\r\n"
    b"a=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1188\r\na=control:%b\r\n"
)


@pytest.mark.parametrize(
    ("sound", "url", "note"),
    [
        (AAC % b"2", "rtsp://10.0.0.2/live/2", ""),
        (b"", "", "it sends no sound."),
        (AAC % b"1", "", "its sound has no address of its own."),
        (b"m=audio 0 RTP/AVP 8\r\na=control:2\r\n", "", "sound"),
    ],
)
def test_microphone(sound: bytes, url: str, note: str) -> None:
    description = sdp.parse(VIDEO + sound)
    found = microphone(description, BASES, description.video())
    assert found.url == url
    assert (found.media is not None) is bool(url)
    assert (note in found.note) if note else not found.note
