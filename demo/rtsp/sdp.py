"""Session descriptions, the answers to DESCRIBE (RFC 4566; RFC 6184, 8.2)."""

from __future__ import annotations

import base64
from fractions import Fraction

from demo.rtsp.packets import PAYLOAD_TYPE

TRACK = "trackID=0"


def describe(*, name: str, sps: bytes, pps: bytes, fps: Fraction, bit_rate: int) -> bytes:
    """A session with one H.264 track."""
    sets = ",".join(base64.b64encode(nal).decode() for nal in (sps, pps))
    profile = sps[1:4].hex().upper()
    lines = (
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        f"s={name or 'camera'}",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"b=AS:{bit_rate // 1000}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/90000",
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}",
        f"a=framerate:{float(fps):g}",
        f"a=control:{TRACK}",
    )
    return ("\r\n".join(lines) + "\r\n").encode()
