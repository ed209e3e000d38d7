"""Which of the codecs that a browser offers takes a camera's H.264 as it is (RFC 6184, 8.1).

aiortc itself knows the baseline profiles only, and others are added to what it negotiates. A codec is taken where the
browser offers the camera's very profile: the answer then names that profile, with the camera's own level. A profile
that includes the camera's does as well, and is named as it was offered.
"""

from __future__ import annotations

import re
from typing import Final

from aiortc import codecs, rtp
from aiortc.rtcrtpparameters import ParametersDict, RTCRtcpFeedback, RTCRtpCodecParameters
from aiortc.sdp import H264Profile, parse_h264_profile_level_id

from live.protocol import Stream

_MORE: Final = ("4d001f", "640c1f", "64001f")  # Main, Constrained High, High (RFC 6184, table 5)
_FIRST_PAYLOAD_TYPE: Final = 105  # behind aiortc's own; an answer takes the offer's numbers anyway
_DYNAMIC: Final = (*range(35, 64), *range(96, 128))
"""Chromium numbers codecs from 35 on, too, once it has run out of the others (RFC 8834 lets it). aiortc would keep its
own number for those, which the browser does not know."""
_HIGH: Final = re.compile(r"profile-level-id=64[0-9a-f]{4}", re.IGNORECASE)
_HIGH_444: Final = re.compile(r"profile-level-id=(f4[0-9a-f]{4})", re.IGNORECASE)
_WIDER: Final = {
    # A browser that decodes the second decodes the first, which leaves some of its tools out.
    H264Profile.PROFILE_CONSTRAINED_BASELINE: H264Profile.PROFILE_BASELINE,
    H264Profile.PROFILE_CONSTRAINED_HIGH: H264Profile.PROFILE_HIGH,
}
_INCLUDED: Final = {
    H264Profile.PROFILE_BASELINE: {H264Profile.PROFILE_CONSTRAINED_BASELINE},
    H264Profile.PROFILE_MAIN: {H264Profile.PROFILE_CONSTRAINED_BASELINE},
    H264Profile.PROFILE_HIGH: {
        H264Profile.PROFILE_CONSTRAINED_BASELINE,
        H264Profile.PROFILE_MAIN,
        H264Profile.PROFILE_CONSTRAINED_HIGH,
    },
}
"""The profiles that a decoder of a profile also decodes (H.264, A.2)."""


def add_profiles() -> None:
    """Let aiortc negotiate Main and High, too, under whatever payload types a browser offers. Repeatable."""
    rtp.DYNAMIC_PAYLOAD_TYPES = _DYNAMIC  # type: ignore[assignment]
    known = {str(codec.parameters.get("profile-level-id")) for codec in codecs.CODECS["video"]}
    for number, ident in enumerate(_MORE):
        if ident not in known:
            payload_type = _FIRST_PAYLOAD_TYPE + 2 * number
            parameters: ParametersDict = {
                "level-asymmetry-allowed": "1",
                "packetization-mode": "1",
                "profile-level-id": ident,
            }
            codecs.CODECS["video"] += [
                RTCRtpCodecParameters(
                    mimeType="video/H264",
                    clockRate=90000,
                    payloadType=payload_type,
                    rtcpFeedback=[RTCRtcpFeedback(type="nack"), RTCRtcpFeedback(type="nack", parameter="pli")],
                    parameters=parameters,
                ),
                RTCRtpCodecParameters(
                    mimeType="video/rtx",
                    clockRate=90000,
                    payloadType=payload_type + 1,
                    parameters={"apt": payload_type},
                ),
            ]


def widened(offer: str, stream: Stream) -> tuple[str, str]:
    """The offer with High in place of High 4:4:4 Predictive, where a High camera finds no other; and what it replaced.

    Chromium offers the latter and not High itself. Who decodes it decodes High, Main and constrained baseline (H.264,
    A.2.8 on decoders). aiortc does not know it.
    """
    found = _HIGH_444.search(offer)
    if profile_level_id(stream)[:2] != "64" or found is None or _HIGH.search(offer):
        return offer, ""
    return offer.replace(found[0], "profile-level-id=64001f"), found[1]


def profile_level_id(stream: Stream) -> str:
    """Six hexadecimal digits: profile, constraints and level of the first SPS; empty where it is none of H.264."""
    return stream.sets[0][1:4].hex() if stream.codec == "h264" and stream.sets else ""


def chosen(
    offered: list[RTCRtpCodecParameters], stream: Stream
) -> tuple[RTCRtpCodecParameters, list[RTCRtpCodecParameters]] | None:
    """The offered codec that takes the stream, and its retransmission; None: the browser offers none.

    ``offered``: those that aiortc found in common with the browser.
    """
    ident = profile_level_id(stream)
    mine = _profile(ident)
    for wanted in (mine, _WIDER.get(mine) if mine is not None else None):
        for codec in offered:
            if wanted is not None and _profile(str(codec.parameters.get("profile-level-id", ""))) is wanted:
                if wanted is mine:
                    codec.parameters["profile-level-id"] = ident
                return codec, [each for each in offered if each.parameters.get("apt") == codec.payloadType]
    return None


def decodes(agreed: str, ident: str) -> bool:
    """Whether a decoder of the one profile decodes the other; each as profile_level_id() returns it."""
    mine, other = _profile(agreed), _profile(ident)
    return mine is not None and other is not None and (mine is other or other in _INCLUDED.get(mine, ()))


def _profile(ident: str) -> H264Profile | None:
    try:
        # The level is the camera's own affair: one that aiortc does not know must not decide.
        return parse_h264_profile_level_id(ident[:4] + "1f")[0]
    except ValueError:
        return None
