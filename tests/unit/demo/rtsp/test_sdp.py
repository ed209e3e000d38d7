"""The demo's session description, read by the recorder's own parser."""

from __future__ import annotations

from fractions import Fraction

from demo.rtsp.sdp import TRACK, describe
from ingest.rtsp.signalling.sdp import parse

SPS, PPS = bytes.fromhex("6742c01ed903c56840000003004000000c03c58b92"), bytes.fromhex("68cb8cb2")


def test_description_names_the_track_and_its_parameter_sets() -> None:
    body = describe(name="Hall", sps=SPS, pps=PPS, fps=Fraction(25, 2), bit_rate=600_000)
    assert b"b=AS:600\r\n" in body
    assert b"a=framerate:12.5\r\n" in body
    assert f"a=control:{TRACK}\r\n".encode() in body
    assert b"profile-level-id=42C01E" in body
    assert all(line and b"\n" not in line for line in body.removesuffix(b"\r\n").split(b"\r\n"))


def test_recorder_reads_it() -> None:
    media = parse(describe(name="", sps=SPS, pps=PPS, fps=Fraction(25), bit_rate=1)).video()
    assert (media.codec, media.control) == ("h264", TRACK)
    assert media.parameters() is not None
