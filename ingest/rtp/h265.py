"""H.265 in RTP (RFC 7798): single NAL units, AP, FU; without DONL."""

from __future__ import annotations

from typing import Final

from ingest.errors import StreamError
from ingest.rtp.assembly import Assembly
from ingest.rtp.counts import Counts
from ingest.rtp.start_codes import Begins
from ingest.video.nal import START_CODE
from ingest.video.parameters import H265_ROLES, Role

_AP: Final = 48  # RFC 7798, 4.4.2
_FU: Final = 49  # 4.4.3
_PACI: Final = 50  # 4.4.4
_TYPE, _START, _END = 0x3F, 0x80, 0x40
_TEMPORAL_ID: Final = 0x07  # nuh_temporal_id_plus1, which is never 0
_ROLES: Final = tuple(map(int, H265_ROLES))

SLICES: Final[Begins] = {
    _FU << 17 | layer << 8 | _START | kind: (bytes((kind << 1, layer)), role, _FU << 17 | layer << 8 | kind)
    for layer in range(1, 8)
    for kind, role in enumerate(_ROLES[:_AP])
    if role <= Role.KEY
}


class H265Payload:
    """See ingest.rtp.packet.Payload."""

    __slots__ = ("_assembly", "_counts")
    shift = 8  # the fragment's headers, payload header and FU header, are the first 24 of 32 bits
    skip = 19  # from the interleaved frame's start to a fragment's data

    def __init__(self, assembly: Assembly, counts: Counts) -> None:
        self._assembly = assembly
        self._counts = counts

    @property
    def malformed(self) -> int:
        """See Counts."""
        return self._counts.malformed

    def take(self, view: memoryview, start: int, stop: int) -> int:
        """See ingest.rtp.packet.Payload. StreamError for what was not negotiated."""
        if stop - start < 3:
            self._counts.malformed += 1
            return -1
        kind = view[start] >> 1 & _TYPE
        if kind == _FU:
            return self._fragment(view, start, stop)
        if kind == _AP:
            self._aggregate(view, start + 2, stop)
        elif kind == _PACI:
            raise StreamError("The camera sends H.265 in PACI packets.", "Switch scalability off there.")
        else:
            self._single(view[start:stop].tobytes())
        return -1

    def _single(self, nal: bytes) -> None:
        """One without a temporal id is what a start code in its place looks like (Annex B)."""
        kind = nal[0] >> 1 & _TYPE
        if nal[1] & _TEMPORAL_ID:
            role = _ROLES[kind]
        else:
            role = int(Role.DROP)
            kind = _AP if START_CODE not in nal else kind
        if kind >= _AP:
            self._counts.malformed += 1
        else:
            self._assembly.whole(nal, role)

    def _fragment(self, view: memoryview, start: int, stop: int) -> int:
        """Payload header, FU header, data, which may be missing."""
        assembly = self._assembly
        head, layer, fragment = view[start], view[start + 1], view[start + 2]
        kind = fragment & _TYPE
        header = bytes((head & 0x81 | kind << 1, layer))
        if fragment & _START:
            if kind >= _AP:
                self._counts.malformed += 1
                return -1
            role = _ROLES[kind] if layer & _TEMPORAL_ID else int(Role.DROP)
            assembly.begin(header, role, view[start + 3 : stop].tobytes())
        elif assembly.open_at >= 0:
            assembly.parts.append(view[start + 3 : stop].tobytes())
        else:
            assembly.tear(header)
            return -1
        if fragment & _END:
            assembly.end()
            return -1
        return head << 16 | layer << 8 | kind

    def _aggregate(self, view: memoryview, at: int, stop: int) -> None:
        """NAL units behind their sizes in 2 bytes."""
        while stop - at > 2:
            size = view[at] << 8 | view[at + 1]
            at += 2
            if size > stop - at:
                self._counts.malformed += 1
                return
            if size > 2:
                self._counts.work += 1
                self._single(view[at : at + size].tobytes())
            at += size

    def goes_on(self, view: memoryview, start: int, stop: int) -> bool:
        """See ingest.rtp.packet.Payload."""
        return stop - start > 2 and view[start] >> 1 & 0x3F == _FU and not view[start + 2] & _START

    def continues(self, view: memoryview, start: int, stop: int) -> bool:
        """See ingest.rtp.packet.Payload."""
        head, at = view[start], start + 2
        if head >> 1 & _TYPE == _FU and stop - start > 3:
            if not view[start + 2] & _START:
                return False
            head, at = view[start + 2] << 1 & 0x7E, start + 3
        # A slice begins with first_slice_segment_in_pic_flag.
        return at < stop and _ROLES[head >> 1 & _TYPE] <= Role.KEY and view[at] < 0x80
