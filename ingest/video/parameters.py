"""Parameter sets gathered from NAL units, and what a recording does with each kind of NAL unit."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from ingest.access_unit import VideoParameters
from ingest.errors import StreamError
from ingest.video import h264, h265, nal

_SET_BYTES_MAX = 4096
_PPS_MAX = 64


class Role(IntEnum):
    PICTURE = 0
    KEY = 1  # a picture that decoding can begin with
    SET = 2  # a parameter set
    DROP = 3  # delimiters, filler
    KEEP = 4  # goes with the picture: SEI and what is unknown


def _h264_role(kind: int) -> Role:
    if kind in (nal.H264_SPS, nal.H264_PPS):
        return Role.SET
    if kind == nal.H264_IDR:
        return Role.KEY
    if 1 <= kind <= 4:
        return Role.PICTURE
    return Role.DROP if kind in (nal.H264_AUD, nal.H264_FILLER) else Role.KEEP


def _h265_role(kind: int) -> Role:
    if kind in (nal.H265_VPS, nal.H265_SPS, nal.H265_PPS):
        return Role.SET
    if kind in nal.H265_IRAP:
        return Role.KEY
    if kind in nal.H265_VCL:
        return Role.PICTURE
    return Role.DROP if kind in (nal.H265_AUD, nal.H265_FILLER) else Role.KEEP


H264_ROLES: Final = tuple(_h264_role(kind) for kind in range(32))
H265_ROLES: Final = tuple(_h265_role(kind) for kind in range(64))


def role(codec: str, item: bytes) -> Role:
    """Of one NAL unit."""
    return H264_ROLES[nal.h264_kind(item)] if codec == "h264" else H265_ROLES[nal.h265_kind(item)]


def parameters_from(codec: str, nals: Iterable[bytes], known: VideoParameters | None) -> VideoParameters | None:
    """What the parameter sets among ``nals`` make of what is ``known``; None while they are not complete.

    ``known`` itself when nothing changed. StreamError for sets that are too large or too many.
    """
    vps, sps = (known.vps, known.sps) if known else (b"", b"")
    pps = {_pps_id(codec, item): item for item in known.pps} if known else {}
    for item in nals:
        if len(item) > _SET_BYTES_MAX or len(pps) > _PPS_MAX:
            raise StreamError("The camera's parameter sets are too large.", "Restart the camera; update its firmware.")
        kind = nal.h264_kind(item) if codec == "h264" else nal.h265_kind(item)
        if (codec == "h264" and kind == nal.H264_SPS) or (codec == "h265" and kind == nal.H265_SPS):
            if sps and item != sps:
                pps = {}
            sps = item
        elif (codec == "h264" and kind == nal.H264_PPS) or (codec == "h265" and kind == nal.H265_PPS):
            pps[_pps_id(codec, item)] = item
        elif codec == "h265" and kind == nal.H265_VPS:
            vps = item
    if not sps or not pps or (codec == "h265" and not vps):
        return None
    made = VideoParameters(codec=codec, vps=vps, sps=sps, pps=tuple(pps.values()))
    return known if made == known else made


def check(parameters: VideoParameters) -> None:
    """StreamError unless the sequence parameter set makes sense."""
    (h264 if parameters.codec == "h264" else h265).parse_sps(parameters.sps)


def _pps_id(codec: str, item: bytes) -> int:
    """pic_parameter_set_id is the first Exp-Golomb code behind the NAL header; its bits tell ids apart."""
    head = int.from_bytes(item[1 if codec == "h264" else 2 :][:4].ljust(4, b"\x00"), "big")
    zeros = 32 - head.bit_length()
    return (head >> max(0, 31 - 2 * zeros)) if zeros < 16 else 0
