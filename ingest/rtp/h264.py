"""H.264 in RTP (RFC 6184): single NAL units, STAP-A, FU-A. The interleaved mode is refused."""

from __future__ import annotations

from typing import Final

from ingest.errors import StreamError
from ingest.native import Form
from ingest.rtp.packet import NalPayload, Slices
from ingest.video.nal import START_CODE
from ingest.video.parameters import H264_ROLES, Role

_STAP_A: Final = 24  # RFC 6184, 5.7.1
_FU_A: Final = 28  # 5.8
_INTERLEAVED: Final = (25, 26, 27, 29)  # STAP-B, MTAP16, MTAP24, FU-B
_TYPE, _IMPORTANCE, _START, _END = 0x1F, 0xE0, 0x80, 0x40
_ROLES: Final = tuple(map(int, H264_ROLES))
_HEADERS: Final = tuple(bytes((value,)) for value in range(256))

# The fragment headers that begin a slice, with its header and role.
SLICES: Final[Slices] = {
    (importance | _FU_A) << 8 | _START | kind: (bytes((importance | kind,)), role)
    for importance in range(0, 0x80, 0x20)
    for kind, role in enumerate(_ROLES[:_STAP_A])
    if kind and role <= Role.KEY
}
FORM: Final = Form(
    skip=18,  # 4 + 12 + 2 bytes
    shift=16,  # FU indicator and FU header are the first 16 of 32 bits
    slices=frozenset(SLICES),
    mask=0x9FE0,  # without NRI and type
    pattern=_FU_A << 8 | _START,
    kinds=_TYPE,
)


class H264Payload(NalPayload):
    """See ingest.rtp.packet.Payload."""

    __slots__ = ()
    least_bytes = 1

    def take(self, view: memoryview, start: int, stop: int) -> int:
        """See ingest.rtp.packet.Payload. StreamError: a packet of the interleaved mode."""
        head = view[start]
        kind = head & _TYPE
        if kind == _FU_A:
            return self._fragment(view, start, stop, head)
        if kind == _STAP_A:
            self._aggregate(view, start + 1, stop)
        elif kind < _STAP_A:
            self._single(view[start:stop].tobytes())
        # They carry decoding order numbers, so NAL units may have to be reordered (5.5). No camera that was tried sends
        # them.
        elif kind in _INTERLEAVED:
            raise StreamError(
                "The camera sends H.264 in interleaved mode (packetization-mode 2).", "Choose mode 1; update it."
            )
        else:
            self._counts.malformed += 1
        return -1

    def _single(self, nal: bytes) -> None:
        """Take a NAL unit in one packet. Type 0 is not one, but the first byte of a start code (Annex B) has it too."""
        kind = nal[0] & _TYPE
        if kind >= _STAP_A or (not kind and START_CODE not in nal):
            self._counts.malformed += 1
        else:
            self._assembly.whole(nal, _ROLES[kind])

    def _fragment(self, view: memoryview, start: int, stop: int, head: int) -> int:
        """Take a fragment: FU indicator, FU header, and data, which may be missing (5.8)."""
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
            # The NAL unit's header is not sent: its F and NRI bits are in the FU indicator, its type in the FU header.
            assembly.begin(_HEADERS[head & _IMPORTANCE | kind], _ROLES[kind], view[start + 2 : stop].tobytes())
        elif assembly.open_at >= 0:
            assembly.parts.append(view[start + 2 : stop].tobytes())
        else:
            # The first fragment is missing, so the rest cannot be decoded. Its header still tells whether others refer
            # to it.
            assembly.tear(_HEADERS[head & _IMPORTANCE | kind])
            return -1
        if fragment & _END:
            assembly.end()
            return -1
        # The headers of the next fragment, unless it is the last: equal, but for the start bit.
        return head << 8 | kind

    def goes_on(self, view: memoryview, start: int, stop: int) -> bool:
        """See ingest.rtp.packet.Payload."""
        return stop - start > 1 and view[start] & _TYPE == _FU_A and not view[start + 1] & _START

    def continues(self, view: memoryview, start: int, stop: int) -> bool:
        """See ingest.rtp.packet.Payload."""
        head, at = view[start], start + 1
        if head & _TYPE == _FU_A and stop - start > 2:
            head, at = view[start + 1], start + 2
            # Only the first fragment holds the slice header.
            if not head & _START:
                return False
        # A slice begins with first_mb_in_slice, an Exp-Golomb code: its first bit is 1 only for 0, a picture's first
        # slice.
        return at < stop and _ROLES[head & _TYPE] <= Role.KEY and view[at] < 0x80
