"""libav's packets as access units. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.access_unit import AccessUnit, VideoParameters
from ingest.errors import StreamError
from ingest.video import nal


def parameters_from(codec: str, nals: Iterable[bytes], known: VideoParameters | None) -> VideoParameters | None:
    """What the parameter sets among ``nals`` make of what is ``known``; None while they are not complete."""
    vps, sps = (known.vps, known.sps) if known else (b"", b"")
    pps = {_pps_id(codec, item): item for item in known.pps} if known else {}
    for item in nals:
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


def _pps_id(codec: str, item: bytes) -> int:
    """pic_parameter_set_id is the first Exp-Golomb code behind the NAL header; its bits tell ids apart."""
    head = int.from_bytes(item[1 if codec == "h264" else 2 :][:4].ljust(4, b"\x00"), "big")
    zeros = 32 - head.bit_length()
    return (head >> max(0, 31 - 2 * zeros)) if zeros < 16 else 0


class Packets:
    """One stream's packets; remembers its parameter sets."""

    def __init__(self, codec: str, extradata: bytes) -> None:
        """StreamError for a codec that is not recorded."""
        if codec not in ("h264", "hevc"):
            raise StreamError(f"The camera sends {codec}.", "Choose H.264 or H.265 there.")
        self._codec = "h264" if codec == "h264" else "h265"
        self._parameters = parameters_from(self._codec, _extradata_nals(self._codec, extradata), None)

    def unit(self, data: bytes, pts_ticks: int, mono_ns: int) -> AccessUnit | None:
        """None while there are no parameter sets, or when there is no picture in it."""
        kept: list[bytes] = []
        sets: list[bytes] = []
        key = False
        for item in nal.split_annex_b(data):
            role = _role(self._codec, item)
            if role == "set":
                sets.append(item)
            elif role != "drop":
                key = key or role == "key"
                kept += (len(item).to_bytes(4, "big"), item)
        if sets:
            self._parameters = parameters_from(self._codec, sets, self._parameters)
        if not kept or self._parameters is None:
            return None
        return AccessUnit(b"".join(kept), pts_ticks, key, mono_ns, self._parameters)


def _role(codec: str, item: bytes) -> str:
    if codec == "h264":
        kind = nal.h264_kind(item)
        if kind in (nal.H264_SPS, nal.H264_PPS):
            return "set"
        return "key" if kind == nal.H264_IDR else "drop" if kind in (nal.H264_AUD, nal.H264_FILLER) else "keep"
    kind = nal.h265_kind(item)
    if kind in (nal.H265_VPS, nal.H265_SPS, nal.H265_PPS):
        return "set"
    return "key" if kind in nal.H265_IRAP else "drop" if kind in (nal.H265_AUD, nal.H265_FILLER) else "keep"


def _extradata_nals(codec: str, extradata: bytes) -> Iterator[bytes]:
    """From Annex B, or from avcC; hvcC is not met with RTSP and files of H.265 carry parameter sets in-band as well."""
    if not extradata:
        return
    if extradata[0] != 1:
        yield from nal.split_annex_b(extradata)
        return
    if codec == "h264":
        at = 6
        for count in (extradata[5] & 0x1F, None):
            number = extradata[at] if count is None else count
            at += count is None
            for _ in range(number):
                size = int.from_bytes(extradata[at : at + 2], "big")
                yield extradata[at + 2 : at + 2 + size]
                at += 2 + size
