"""Parameter sets gathered from NAL units, and what a recording does with each kind of NAL unit."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from ingest.access_unit import VideoParameters
from ingest.errors import StreamError
from ingest.video import h264, h265, nal
from ingest.video.bits import Bits, unescaped

_SET_BYTES_MAX = 4096
_PPS_MAX = 64
_SPS_MAX = 16


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
    vps = known.vps if known else b""
    sps = {_sps_id(codec, item): item for item in (known.sps, *known.more_sps)} if known else {}
    pps = {_pps_ids(codec, item)[0]: item for item in known.pps} if known else {}
    first = _sps_id(codec, known.sps) if known else None
    fresh = True
    for item in nals:
        if len(item) > _SET_BYTES_MAX or len(pps) > _PPS_MAX or len(sps) > _SPS_MAX:
            raise StreamError("The camera's parameter sets are too large.", "Restart the camera; update its firmware.")
        kind = nal.h264_kind(item) if codec == "h264" else nal.h265_kind(item)
        if (codec == "h264" and kind == nal.H264_SPS) or (codec == "h265" and kind == nal.H265_SPS):
            ident = _sps_id(codec, item)
            if sps.get(ident, item) != item:  # another one takes its place: what referred to it goes
                pps = {key: other for key, other in pps.items() if _pps_ids(codec, other)[1] != ident}
            sps[ident] = item
            if fresh:
                first, fresh = ident, False
        elif (codec == "h264" and kind == nal.H264_PPS) or (codec == "h265" and kind == nal.H265_PPS):
            pps[_pps_ids(codec, item)[0]] = item
        elif codec == "h265" and kind == nal.H265_VPS:
            vps = item
    if first is None or (codec == "h265" and not vps):
        return None
    if not any(_pps_ids(codec, item)[1] == first for item in pps.values()):
        return None
    more = tuple(item for ident, item in sps.items() if ident != first)
    made = VideoParameters(codec=codec, vps=vps, sps=sps[first], more_sps=more, pps=tuple(pps.values()))
    return known if known is not None and made.all == known.all else made


def check(parameters: VideoParameters) -> None:
    """StreamError unless the sequence parameter set makes sense."""
    (h264 if parameters.codec == "h264" else h265).parse_sps(parameters.sps)


def _sps_id(codec: str, item: bytes) -> int:
    """0 where it cannot be read; check() refuses such a set."""
    try:
        return h264.parse_sps(item).ident if codec == "h264" else h265.parse_sps(item).ident
    except StreamError:
        return 0


def _pps_ids(codec: str, item: bytes) -> tuple[int, int]:
    """Its own id, and that of the SPS that it refers to: the first two codes behind the NAL header."""
    bits = Bits(unescaped(item[1 if codec == "h264" else 2 :][:12]))
    try:
        return bits.ue(), bits.ue()
    except StreamError:
        return 0, 0
