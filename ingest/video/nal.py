"""NAL units: splits byte streams into them, and tells their type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ingest.video import sei

START_CODE: Final = b"\x00\x00\x01"  # ITU-T H.264 and H.265, Annex B
_START: Final = re.compile(START_CODE)

H264_IDR, H264_SEI, H264_SPS, H264_PPS, H264_AUD = 5, 6, 7, 8, 9
H264_FILLER = 12
H265_VPS, H265_SPS, H265_PPS, H265_AUD = 32, 33, 34, 35
H265_FILLER = 38
H265_SEI = range(39, 41)  # before and after the slices
H265_IRAP = range(16, 24)
H265_IDR = range(19, 21)
H265_VCL = range(32)


def split_annex_b(data: bytes) -> Iterator[bytes]:
    """Return the NAL units of a byte stream (H.264 Annex B), without start codes, trailing zeros and empty units."""
    found = list(_START.finditer(data))
    for number, match in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(data)
        nal = data[match.end() : end].rstrip(b"\x00")
        if nal:
            yield nal


def units_of(codec: str, data: bytes, most: int) -> list[bytes]:
    """Return at most ``most`` NAL units of a byte stream that may begin without a start code.

    A SEI NAL unit ends where the sizes of its messages say, if they are consistent: cameras put certificates and
    signatures into SEI messages (ONVIF Media Signing), with start codes as data. Cost: linear for any ``data``.
    """
    found: list[bytes] = []
    at = 0
    for _ in range(2 * most):  # two start codes may be adjacent
        if at >= len(data) or len(found) >= most:
            break
        end = sei.end_of_unit(data, at, header_bytes(codec)) if is_sei(codec, data[at]) else -1
        if end < 0:
            end = data.find(START_CODE, at)
            end = len(data) if end < 0 else end
        if nal := data[at:end].rstrip(b"\x00"):
            found.append(nal)
        following = data.find(START_CODE, end)
        at = len(data) if following < 0 else following + len(START_CODE)
    return found


def header_bytes(codec: str) -> int:
    """The size of a NAL unit's header."""
    return 1 if codec == "h264" else 2


def is_sei(codec: str, first_byte: int) -> bool:
    """Whether a NAL unit that begins with this byte holds SEI messages."""
    return first_byte & 0x1F == H264_SEI if codec == "h264" else first_byte >> 1 & 0x3F in H265_SEI


def h264_kind(nal: bytes | memoryview) -> int:
    """nal_unit_type (ITU-T H.264, 7.3.1)."""
    return nal[0] & 0x1F


def h265_kind(nal: bytes | memoryview) -> int:
    """nal_unit_type (ITU-T H.265, 7.3.1.2)."""
    return nal[0] >> 1 & 0x3F
