"""libav's packets as access units. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.access_unit import AccessUnit
from ingest.errors import StreamError
from ingest.video import nal
from ingest.video.parameters import Role, activated, parameters_from, role_of


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
            what = role_of(self._codec, item)
            if what is Role.SET:
                sets.append(item)
            elif what is not Role.DROP:
                key = key or what is Role.KEY
                kept += (len(item).to_bytes(4, "big"), item)
        if sets:
            self._parameters = parameters_from(self._codec, sets, self._parameters)
        if not kept or self._parameters is None:
            return None
        joined = b"".join(kept)
        if key and self._parameters.more_sps:
            self._parameters = activated(self._parameters, joined)
        return AccessUnit(joined, pts_ticks, key, mono_ns, self._parameters)


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
