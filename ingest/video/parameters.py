"""Collects parameter sets from NAL units, and classifies NAL units by what a recording does with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from itertools import islice
from typing import Final

from ingest.access_unit import VideoParameters
from ingest.errors import StreamError
from ingest.video import h264, h265, nal
from ingest.video.bits import Bits, unescaped

_SET_BYTES_MAX = 4096
_PPS_MAX = 64
_SPS_KEPT = 8
_WAITING_MAX = 64
_PARSING_COST = 16
_H265_TEMPORAL_ID = 0x07
_H264_NONE = 0  # "unspecified"; also the first byte of a start code in place of a NAL unit


class Role(IntEnum):
    """What a recording does with a NAL unit."""

    PICTURE = 0
    KEY = 1  # a picture with which decoding can begin
    SET = 2  # a parameter set
    DROP = 3  # delimiters, filler, and what is not a NAL unit
    KEEP = 4  # stays with the picture: SEI and unknown types


def _h264_role(kind: int) -> Role:
    if kind in (nal.H264_SPS, nal.H264_PPS):
        return Role.SET
    if kind == nal.H264_IDR:
        return Role.KEY
    if 1 <= kind <= 4:
        return Role.PICTURE
    return Role.DROP if kind in (_H264_NONE, nal.H264_AUD, nal.H264_FILLER) else Role.KEEP


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


def role_of(codec: str, item: bytes | memoryview) -> Role:
    """Return the role of a NAL unit; not empty. DROP for H.265 with nuh_temporal_id_plus1 of 0, which is forbidden."""
    if codec == "h264":
        return H264_ROLES[nal.h264_kind(item)]
    return H265_ROLES[nal.h265_kind(item)] if len(item) > 1 and item[1] & _H265_TEMPORAL_ID else Role.DROP


Sps = h264.SpsH264 | h265.SpsH265


class ParameterSets:
    """The parameter sets of a stream. Pass the sets of each picture to ``take()``, before the picture.

    current: the sets that decode the picture; None before they are complete
    sps: the active SPS, parsed
    complete: whether no set refers to a missing one
    """

    __slots__ = ("_codec", "_known", "_waiting", "complete", "current", "sps")

    def __init__(self, codec: str, described: VideoParameters | None) -> None:
        """``described``: from the session description; None if absent or invalid."""
        self._codec = codec
        self._waiting: list[bytes] = []
        self.complete = described is not None
        self._use(described)

    def take(self, sets: list[bytes]) -> int:
        """Take sets and empty the list. Return the work, see ingest.rtp.counts. StreamError: the sets are invalid."""
        if self.complete and self._known.issuperset(sets):
            sets.clear()
            return 1
        self._waiting = [*self._waiting, *sets][-_WAITING_MAX:]
        sets.clear()
        cost = _PARSING_COST * (len(self._waiting) + len(self._known))
        made = parameters_from(self._codec, self._waiting, self.current)
        self.complete = made is not None
        if made is not None:  # otherwise the missing sets may follow
            self._waiting.clear()
            if made is not self.current:
                self._use(made)
        return cost

    def activate(self, data: bytes) -> None:
        """Activate the sets to which a key picture refers."""
        if self.current is not None and self.current.more_sps:
            meant = activated(self.current, data)
            if meant is not self.current:
                self._use(meant)

    def _use(self, made: VideoParameters | None) -> None:
        self.sps = None if made is None else parsed(made)
        self.current = made
        self._known = made.all if made is not None else frozenset[bytes]()


def parameters_from(codec: str, nals: Iterable[bytes], known: VideoParameters | None) -> VideoParameters | None:
    """Merge the parameter sets among ``nals`` into ``known``; None while they are incomplete.

    Returns ``known`` itself if nothing changed. The key picture chooses among several SPS (``activated()``); until then
    the first among ``nals`` counts, or, without ``known``, the first to which a PPS refers. StreamError: the sets are
    too large or too many.
    """
    vps = {_vps_id(item): item for item in (known.vps, *known.more_vps) if item} if known else {}
    sps = {_sps_ids(codec, item)[0]: item for item in (known.sps, *known.more_sps)} if known else {}
    pps = {_pps_ids(codec, item)[0]: item for item in known.pps} if known else {}
    first = _sps_ids(codec, known.sps)[0] if known else None
    fresh = True
    for item in nals:
        if len(item) > _SET_BYTES_MAX or len(pps) > _PPS_MAX:
            raise StreamError("The camera's parameter sets are too large.", "Restart the camera; update its firmware.")
        kind = nal.h264_kind(item) if codec == "h264" else nal.h265_kind(item)
        if (codec == "h264" and kind == nal.H264_SPS) or (codec == "h265" and kind == nal.H265_SPS):
            ident = _sps_ids(codec, item)[0]
            if sps.pop(ident, item) != item:  # it is replaced: sets that referred to it go
                pps = _without(codec, pps, ident)
            sps[ident] = item
            if fresh:
                first, fresh = ident, False
            if len(sps) > _SPS_KEPT:  # some cameras use ever new ids
                gone = next(each for each in sps if each != first)
                del sps[gone]
                pps = _without(codec, pps, gone)
        elif (codec == "h264" and kind == nal.H264_PPS) or (codec == "h265" and kind == nal.H265_PPS):
            pps[_pps_ids(codec, item)[0]] = item
        elif codec == "h265" and kind == nal.H265_VPS:
            vps[_vps_id(item)] = item
    referred = {_pps_ids(codec, item)[1] for item in pps.values()}
    if known is None and first not in referred:
        first = next((ident for ident in sps if ident in referred), None)
    if first is None or first not in referred:
        return None
    made = _around(codec, first, vps, sps, pps)
    if made is None:
        return None
    return known if known is not None and made.all == known.all else made


def activated(parameters: VideoParameters, data: bytes) -> VideoParameters:
    """Return the sets with the SPS first to which a key picture refers; unchanged if that is so, or unknown.

    data: the picture, NAL units after their lengths
    """
    codec = parameters.codec
    pps = {_pps_ids(codec, item)[0]: item for item in parameters.pps}
    meant = pps.get(_meant_pps(codec, data))
    if meant is None:
        return parameters
    ident = _pps_ids(codec, meant)[1]
    sps = {_sps_ids(codec, item)[0]: item for item in (parameters.sps, *parameters.more_sps)}
    if ident not in sps or sps[ident] == parameters.sps:
        return parameters
    vps = {_vps_id(item): item for item in (parameters.vps, *parameters.more_vps) if item}
    return _around(codec, ident, vps, sps, pps) or parameters


def _around(
    codec: str, ident: int, vps: Mapping[int, bytes], sps: Mapping[int, bytes], pps: Mapping[int, bytes]
) -> VideoParameters | None:
    """Return the sets with this SPS first, and its VPS. None: the VPS is missing."""
    first = sps[ident]
    referred = _sps_ids(codec, first)[1]
    if codec == "h265" and referred not in vps:
        return None
    return VideoParameters(
        codec=codec,
        vps=vps.get(referred, b""),
        sps=first,
        pps=tuple(pps.values()),
        more_vps=tuple(vps[each] for each in sorted(vps) if each != referred),
        more_sps=tuple(sps[each] for each in sorted(sps) if each != ident),
    )


def _without(codec: str, pps: Mapping[int, bytes], sps: int) -> dict[int, bytes]:
    return {ident: item for ident, item in pps.items() if _pps_ids(codec, item)[1] != sps}


def described(codec: str, items: Iterable[bytes]) -> VideoParameters | None:
    """Return the sets of a session description; None: incomplete or invalid, so that the stream has to carry them.

    items: values of the attributes; cameras put start codes, several sets and other bytes into one
    """
    nals = (piece for item in items for piece in nal.units_of(codec, item, _WAITING_MAX))
    try:
        made = parameters_from(codec, islice((each for each in nals if len(each) > 2), _WAITING_MAX), None)
        if made is not None:
            check(made)
    except StreamError:
        return None
    return made


def parsed(parameters: VideoParameters) -> Sps:
    """Parse the active SPS. StreamError: it is invalid."""
    return h264.parse_sps(parameters.sps) if parameters.codec == "h264" else h265.parse_sps(parameters.sps)


def check(parameters: VideoParameters) -> None:
    """StreamError: the SPS is invalid."""
    parsed(parameters)


def _vps_id(item: bytes) -> int:
    return item[2] >> 4 if len(item) > 2 else 0


def _sps_ids(codec: str, item: bytes) -> tuple[int, int]:
    """Return the ids of an SPS and of its VPS; 0 for an unreadable one, which check() refuses."""
    try:
        if codec == "h264":
            return h264.parse_sps(item).ident, 0
        return h265.parse_sps(item).ident, _vps_id(item)
    except StreamError:
        return 0, _vps_id(item)


def _meant_pps(codec: str, data: bytes) -> int:
    """Return the PPS id of the first slice; -1: there is none that can be read."""
    at = 0
    while at + 6 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        item = data[at + 4 : at + 4 + min(size, 24)]
        if role_of(codec, item) in (Role.PICTURE, Role.KEY):
            bits = Bits(unescaped(item[1 if codec == "h264" else 2 :]))
            try:
                if codec == "h264":
                    bits.ue()  # first_mb_in_slice
                    bits.ue()  # slice_type
                else:
                    bits.u(2 if role_of(codec, item) is Role.KEY else 1)
                return bits.ue()
            except StreamError:
                return -1
        at += 4 + size
    return -1


def _pps_ids(codec: str, item: bytes) -> tuple[int, int]:
    """Return the ids of a PPS and of its SPS, the first two codes after the NAL header."""
    bits = Bits(unescaped(item[1 if codec == "h264" else 2 :][:12]))
    try:
        return bits.ue(), bits.ue()
    except StreamError:
        return 0, 0
