"""H.264 in RTP (RFC 6184): single NAL units, STAP-A, FU-A. The interleaved mode is refused."""

from __future__ import annotations

from typing import Final

from ingest.errors import StreamError
from ingest.rtp.assembly import Assembly
from ingest.rtp.counts import Counts
from ingest.rtp.start_codes import Begins
from ingest.video.nal import START_CODE
from ingest.video.parameters import H264_ROLES, Role

_STAP_A: Final = 24  # RFC 6184, 5.7.1
_FU_A: Final = 28  # 5.8
_INTERLEAVED: Final = (25, 26, 27, 29)  # STAP-B, MTAP16, MTAP24, FU-B
_TYPE, _IMPORTANCE, _START, _END = 0x1F, 0xE0, 0x80, 0x40
_ROLES: Final = tuple(map(int, H264_ROLES))
_HEADERS: Final = tuple(bytes((value,)) for value in range(256))

SLICES: Final[Begins] = {
    (importance | _FU_A) << 8 | _START | kind: (bytes((importance | kind,)), role, (importance | _FU_A) << 8 | kind)
    for importance in range(0, 0x80, 0x20)
    for kind, role in enumerate(_ROLES[:_STAP_A])
    if kind and role <= Role.KEY
}


class H264Payload:
    """See ingest.rtp.packet.Payload."""

    __slots__ = ("_assembly", "_counts")
    shift = 16  # the fragment's headers, FU indicator and FU header, are the first 16 of 32 bits
    skip = 18  # from the interleaved frame's start to a fragment's data

    def __init__(self, assembly: Assembly, counts: Counts) -> None:
        self._assembly = assembly
        self._counts = counts

    @property
    def malformed(self) -> int:
        """See Counts."""
        return self._counts.malformed

    def take(self, view: memoryview, start: int, stop: int) -> int:
        """See ingest.rtp.packet.Payload. StreamError for the interleaved mode's packets."""
        head = view[start]
        kind = head & _TYPE
        if kind == _FU_A:
            return self._fragment(view, start, stop, head)
        if kind == _STAP_A:
            self._aggregate(view, start + 1, stop)
        elif kind < _STAP_A:
            self._single(view[start:stop].tobytes())
        elif kind in _INTERLEAVED:
            raise StreamError(
                "The camera sends H.264 in interleaved mode (packetization-mode 2).", "Choose mode 1; update it."
            )
        else:
            self._counts.malformed += 1
        return -1

    def _single(self, nal: bytes) -> None:
        """Type 0 is what a start code in the NAL unit's place begins with (Annex B)."""
        kind = nal[0] & _TYPE
        if kind >= _STAP_A or (not kind and START_CODE not in nal):
            self._counts.malformed += 1
        else:
            self._assembly.whole(nal, _ROLES[kind])

    def _fragment(self, view: memoryview, start: int, stop: int, head: int) -> int:
        """FU indicator, FU header, data, which may be missing."""
        assembly = self._assembly
        if stop - start < 2:
            self._counts.malformed += 1
            return -1
        fragment = view[start + 1]
        kind = fragment & _TYPE
        if fragment & _START:
            if kind >= _STAP_A:
                self._counts.malformed += 1
                return -1
            assembly.begin(_HEADERS[head & _IMPORTANCE | kind], _ROLES[kind], view[start + 2 : stop].tobytes())
        elif assembly.open_at >= 0:
            assembly.parts.append(view[start + 2 : stop].tobytes())
        else:
            assembly.tear(_HEADERS[head & _IMPORTANCE | kind])
            return -1
        if fragment & _END:
            assembly.end()
            return -1
        return head << 8 | kind

    def _aggregate(self, view: memoryview, at: int, stop: int) -> None:
        """NAL units behind their sizes in 2 bytes."""
        while stop - at > 2:
            size = view[at] << 8 | view[at + 1]
            at += 2
            if size > stop - at:
                self._counts.malformed += 1
                return
            if size:
                self._counts.work += 1
                self._single(view[at : at + size].tobytes())
            at += size

    def goes_on(self, view: memoryview, start: int, stop: int) -> bool:
        """See ingest.rtp.packet.Payload."""
        return stop - start > 1 and view[start] & _TYPE == _FU_A and not view[start + 1] & _START

    def continues(self, view: memoryview, start: int, stop: int) -> bool:
        """See ingest.rtp.packet.Payload."""
        head, at = view[start], start + 1
        if head & _TYPE == _FU_A and stop - start > 2:
            head, at = view[start + 1], start + 2
            if not head & _START:
                return False
        # A slice begins with first_mb_in_slice: its first bit is set where that is 0.
        return at < stop and _ROLES[head & _TYPE] <= Role.KEY and view[at] < 0x80
