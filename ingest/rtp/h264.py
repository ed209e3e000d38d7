"""H.264 in RTP (RFC 6184): single NAL units, STAP-A, FU-A. The interleaved mode is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.errors import StreamError
from ingest.rtp.pictures import Pictures
from ingest.video.parameters import H264_ROLES, Role

_STAP_A: Final = 24
_FU_A: Final = 28
_SLICES: Final = {
    (importance | _FU_A) << 8 | 0x80 | kind: (bytes((importance | kind,)), role, (importance | _FU_A) << 8 | kind)
    for importance in range(0, 0x80, 0x20)
    for kind, role in enumerate(map(int, H264_ROLES[:_STAP_A]))
    if kind and role <= Role.KEY
}
_HEADERS: Final = tuple(bytes((value,)) for value in range(256))


class H264Payload:
    """See ingest.rtp.track.Payload."""

    __slots__ = ("malformed", "pictures")
    shift = 16
    skip = 18
    slices: Mapping[int, tuple[bytes, int, int]] = _SLICES

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.malformed = 0

    def take(self, view: memoryview, start: int, stop: int) -> int:
        """StreamError for the interleaved mode's packets."""
        head = view[start]
        kind = head & 0x1F
        if kind == _FU_A:
            return self._fragment(view, start, stop, head)
        if kind == _STAP_A:
            self._aggregate(view, start + 1, stop)
        elif 0 < kind < _STAP_A:
            self.pictures.whole(view[start:stop].tobytes())
        elif _STAP_A < kind < 30:
            raise StreamError(
                "The camera sends H.264 in interleaved mode (packetization-mode 2).", "Choose mode 1; update it."
            )
        else:
            self.malformed += 1
        return -1

    def _fragment(self, view: memoryview, start: int, stop: int, head: int) -> int:
        pictures = self.pictures
        if stop - start < 3:
            self.malformed += 1
            return -1
        fragment = view[start + 1]
        kind = fragment & 0x1F
        if fragment & 0x80:
            if not 0 < kind < _STAP_A:
                self.malformed += 1
                return -1
            pictures.begin(_HEADERS[head & 0xE0 | kind], view[start + 2 : stop].tobytes())
        elif pictures.open:
            pictures.parts.append(view[start + 2 : stop].tobytes())
        else:
            pictures.headless()
            return -1
        if fragment & 0x40:
            pictures.end()
            return -1
        return head << 8 | kind

    def _aggregate(self, view: memoryview, at: int, stop: int) -> None:
        while stop - at > 2:
            size = view[at] << 8 | view[at + 1]
            at += 2
            if size > stop - at:
                self.malformed += 1
                return
            if size and 0 < view[at] & 0x1F < _STAP_A:
                self.pictures.whole(view[at : at + size].tobytes())
            at += size

    def continues(self, view: memoryview, start: int, stop: int) -> bool:
        """See ingest.rtp.track.Payload."""
        head = view[start]
        at = start + 1
        if head & 0x1F == _FU_A and stop - start > 2:
            head, at = view[start + 1], start + 2
            if not head & 0x80:
                return False
        return at < stop and self.pictures.starts_picture(head & 0x1F, view[at]) is False
