"""Which of a browser's codecs takes a camera's pictures."""

from __future__ import annotations

import pytest
from aiortc import codecs
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from live.protocol import Stream
from live.webrtc.profiles import add_profiles, chosen, decodes, profile_level_id, widened


def stream(ident: str, codec: str = "h264") -> Stream:
    return Stream(codec=codec, mime="", init=b"", sets=(b"\x67" + bytes.fromhex(ident), b"\x68"))


def offered(*idents: str) -> list[RTCRtpCodecParameters]:
    found = []
    for number, ident in enumerate(idents):
        parameters = {"packetization-mode": "1", "profile-level-id": ident}
        number = 100 + 2 * number
        found += [
            RTCRtpCodecParameters("video/H264", 90000, payloadType=number, parameters=dict(parameters)),
            RTCRtpCodecParameters("video/rtx", 90000, payloadType=number + 1, parameters={"apt": number}),
        ]
    return found


@pytest.mark.parametrize(
    ("camera", "offer", "taken"),
    [
        ("42c01f", ("42001f", "42e01f"), 102),  # constrained baseline
        ("42c01f", ("42001f",), 100),  # which a decoder of baseline decodes
        ("42001f", ("42e01f",), None),  # and not the other way round
        ("4d0028", ("42e01f", "4d001f"), 102),
        ("640033", ("42e01f", "4d001f", "64001f"), 104),  # whatever its level
        ("640c1f", ("64001f",), 100),
        ("64001f", ("42001f", "42e01f", "4d001f"), None),
        ("f4001f", ("64001f",), None),
        ("64001f", (), None),
    ],
)
def test_the_cameras_own_profile_is_taken_or_none(camera: str, offer: tuple[str, ...], taken: int | None) -> None:
    found = chosen(offered(*offer), stream(camera))
    assert (None if found is None else found[0].payloadType) == taken
    if found is not None and taken is not None:
        assert [one.payloadType for one in found[1]] == [taken + 1]
        same = found[0].parameters["profile-level-id"] == camera
        assert same == (camera not in ("42c01f", "640c1f") or len(offer) > 1)


def test_high_takes_the_place_of_a_profile_that_includes_it_where_it_is_not_offered() -> None:
    offer = "a=fmtp:1 profile-level-id=42001f\r\na=fmtp:2 profile-level-id=f4001f\r\n"
    assert widened(offer, stream("640028")) == (offer.replace("f4001f", "64001f"), "f4001f")
    assert widened(offer, stream("4d0028")) == (offer, "")
    both = offer + "a=fmtp:3 profile-level-id=640C1F\r\n"
    assert widened(both, stream("640028")) == (both, "")
    assert widened("", stream("640028")) == ("", "")


def test_the_profile_is_read_from_the_first_parameter_set() -> None:
    assert profile_level_id(stream("640028")) == "640028"
    assert profile_level_id(stream("640028", "h265")) == ""
    assert profile_level_id(Stream(codec="h264", mime="", init=b"", sets=())) == ""


def test_profiles_are_added_once() -> None:
    add_profiles()
    before = len(codecs.CODECS["video"])
    add_profiles()
    assert len(codecs.CODECS["video"]) == before
    numbers = [codec.payloadType for codec in codecs.CODECS["video"]]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("agreed", "other", "may"),
    [
        ("640028", "42c01e", True),  # a camera's large and small stream
        ("640028", "4d001e", True),
        ("4d0028", "42c01e", True),
        ("42001f", "42c01e", True),
        ("4d0028", "640028", False),
        ("42c01e", "4d001e", False),
        ("4d0028", "42001f", False),  # baseline has tools that Main lacks
        ("640028", "640033", True),
        ("640028", "", False),  # H.265
        ("", "640028", False),
    ],
)
def test_what_a_decoder_of_a_profile_decodes_besides(agreed: str, other: str, may: bool) -> None:
    assert decodes(agreed, other) is may
