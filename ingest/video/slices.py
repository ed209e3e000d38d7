"""Reads from a slice's first bytes facts about its picture: whether it begins it, and which pictures refer to which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingest.video import h264, h265, sei
from ingest.video.nal import H265_IDR, header_bytes, is_sei
from ingest.video.parameters import Role, Sps, role_of

HEAD_BYTES: Final = 24  # of a slice, enough for everything here
_UNITS_MAX: Final = 64  # of an access unit, searched for its first slice
_SEI_BYTES: Final = 512
_H264_REF_IDC: Final = 0x60
_H265_SUB_LAYER_NON_REFERENCE: Final = range(0, 16, 2)  # ITU-T H.265, table 7-1
_H265_TEMPORAL_ID: Final = 0x07


def first_slice(codec: str, data: bytes) -> bytes:
    """Return the first bytes of an access unit's first slice; empty: there is none near its start.

    data: NAL units after their lengths in 4 bytes
    """
    return next((nal[:HEAD_BYTES] for nal in _units(data) if role_of(codec, nal) <= Role.KEY), b"")


def recovery_frames(codec: str, data: bytes) -> int | None:
    """Return the recovery count of an access unit with a recovery point before its slices; see ingest.video.sei."""
    for nal in _units(data):
        if role_of(codec, nal) <= Role.KEY:
            return None
        if is_sei(codec, nal[0]) and (frames := sei.recovery_frames(codec, nal)) is not None:
            return frames
    return None


def begins_picture(codec: str, nal: bytes) -> bool:
    """Whether a slice is its picture's first: first_mb_in_slice is 0, first_slice_segment_in_pic_flag is 1."""
    at = header_bytes(codec)
    return len(nal) > at and nal[at] >= 0x80


def is_disposable(codec: str, sps: Sps | None, head: bytes) -> bool:
    """Whether no other picture refers to the one with this NAL unit header, which all slices of a picture share.

    In H.265 pictures of a higher temporal layer, if there is one, may refer to it.
    """
    if not head or role_of(codec, head) > Role.KEY:
        return False
    if codec == "h264":
        return not head[0] & _H264_REF_IDC
    if not isinstance(sps, h265.SpsH265) or head[0] >> 1 & 0x3F not in _H265_SUB_LAYER_NON_REFERENCE:
        return False
    return head[1] & _H265_TEMPORAL_ID >= sps.sub_layers


def is_open(codec: str, nal: bytes) -> bool:
    """Whether pictures shown before this key picture may refer to earlier ones (open group of pictures)."""
    return (codec == "h264" and not h264.is_idr(nal)) or (codec == "h265" and nal[0] >> 1 & 0x3F not in H265_IDR)


def follows(sps: Sps | None, before: bytes, after: bytes) -> bool | None:
    """Whether no reference picture is missing between the pictures of two slices; None: they do not tell."""
    if not isinstance(sps, h264.SpsH264) or not before or not after:
        return None
    return h264.follows(sps, before, after)


def _units(data: bytes) -> Iterator[bytes]:
    at = 0
    for _ in range(_UNITS_MAX):
        if at + 5 > len(data):
            return
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 4 + min(size, _SEI_BYTES)]
        at += 4 + size
