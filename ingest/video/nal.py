"""NAL units: splitting byte streams, telling kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator

_START = re.compile(rb"\x00\x00\x01")

H264_IDR, H264_SEI, H264_SPS, H264_PPS, H264_AUD = 5, 6, 7, 8, 9
H264_FILLER = 12
H265_VPS, H265_SPS, H265_PPS, H265_AUD = 32, 33, 34, 35
H265_FILLER = 38
H265_IRAP = range(16, 24)
H265_VCL = range(32)


def split_annex_b(data: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream (H.264 Annex B), without start codes and trailing zeros; empty ones left out."""
    found = list(_START.finditer(data))
    for number, match in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(data)
        nal = data[match.end() : end].rstrip(b"\x00")
        if nal:
            yield nal


def h264_kind(nal: bytes | memoryview) -> int:
    return nal[0] & 0x1F


def h265_kind(nal: bytes | memoryview) -> int:
    return nal[0] >> 1 & 0x3F
