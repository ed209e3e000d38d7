"""H.265 in RTP (RFC 7798): single NAL units, AP, FU; without DONL."""

from __future__ import annotations

from typing import Final

from ingest.errors import StreamError
from ingest.native import Form
from ingest.rtp.packet import NalPayload, Slices
from ingest.video.nal import START_CODE
from ingest.video.parameters import H265_ROLES, Role

_AP: Final = 48  # RFC 7798, 4.4.2
_FU: Final = 49  # 4.4.3
_PACI: Final = 50  # 4.4.4
_TYPE, _START, _END = 0x3F, 0x80, 0x40
_TEMPORAL_ID: Final = 0x07  # nuh_temporal_id_plus1, which is never 0
_ROLES: Final = tuple(map(int, H265_ROLES))

# The fragment headers that begin a slice, with its header and role.
SLICES: Final[Slices] = {
    _FU << 17 | layer << 8 | _START | kind: (bytes((kind << 1, layer)), role)
    for layer in range(1, 8)
    for kind, role in enumerate(_ROLES[:_AP])
    if role <= Role.KEY
}
FORM: Final = Form(
    skip=19,  # 4 + 12 + 3 bytes
    shift=8,  # payload header and FU header are the first 24 of 32 bits
    slices=frozenset(SLICES),
    mask=0xFFF8C0,  # without temporal id and type
    pattern=_FU << 17 | _START,
    kinds=_TYPE,
)


class H265Payload(NalPayload):
    """See ingest.rtp.packet.Payload."""

    __slots__ = ()
    least_bytes = 3  # two, and one of content: a bare header is not a NAL unit

    def take(self, view: memoryview, start: int, stop: int) -> int:
        """See ingest.rtp.packet.Payload. StreamError: a PACI packet, which was not negotiated."""
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
        """Take a NAL unit in one packet.

        Without a temporal id it is not one, but may begin with a start code (Annex B).
        """
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
        """Take a fragment: payload header, FU header, and data, which may be missing (4.4.3)."""
        assembly = self._assembly
        head, layer, fragment = view[start], view[start + 1], view[start + 2]
        kind = fragment & _TYPE
        # The NAL unit's header is the payload header with its own type (six bits, after the F bit) in place of 49.
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
            # The first fragment is missing, so the rest cannot be decoded. Its header still tells whether others refer
            # to it.
            assembly.tear(header)
            return -1
        if fragment & _END:
            assembly.end()
            return -1
        # The headers of the next fragment, unless it is the last: equal, but for the start bit.
        return head << 16 | layer << 8 | kind

    def goes_on(self, view: memoryview, start: int, stop: int) -> bool:
        """See ingest.rtp.packet.Payload."""
        return stop - start > 2 and view[start] >> 1 & 0x3F == _FU and not view[start + 2] & _START

    def continues(self, view: memoryview, start: int, stop: int) -> bool:
        """See ingest.rtp.packet.Payload."""
        head, at = view[start], start + 2
        if head >> 1 & _TYPE == _FU and stop - start > 3:
            # Only the first fragment holds the slice header.
            if not view[start + 2] & _START:
                return False
            head, at = view[start + 2] << 1 & 0x7E, start + 3
        # A slice begins with first_slice_segment_in_pic_flag, one bit.
        return at < stop and _ROLES[head >> 1 & _TYPE] <= Role.KEY and view[at] < 0x80
