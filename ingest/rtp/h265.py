"""H.265 in RTP (RFC 7798): single NAL units, AP, FU; without DONL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.errors import StreamError
from ingest.rtp.pictures import Pictures
from ingest.video.parameters import H265_ROLES, Role

_AP: Final = 48
_FU: Final = 49
_PACI: Final = 50
_SLICES: Final = {
    _FU << 17 | layer << 8 | 0x80 | kind: (bytes((kind << 1, layer)), role, _FU << 17 | layer << 8 | kind)
    for layer in range(1, 8)
    for kind, role in enumerate(map(int, H265_ROLES[:_AP]))
    if role <= Role.KEY
}


class H265Payload:
    """See ingest.rtp.track.Payload."""

    __slots__ = ("malformed", "pictures")
    shift = 8
    skip = 19
    slices: Mapping[int, tuple[bytes, int, int]] = _SLICES

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.malformed = 0

    def take(self, view: memoryview, start: int, stop: int) -> int:
        """StreamError for what was not negotiated."""
        if stop - start < 3:
            self.malformed += 1
            return -1
        kind = view[start] >> 1 & 0x3F
        if kind == _FU:
            return self._fragment(view, start, stop)
        if kind == _AP:
            self._aggregate(view, start + 2, stop)
        elif kind < _AP:
            self.pictures.whole(view[start:stop].tobytes())
        elif kind == _PACI:
            raise StreamError("The camera sends H.265 in PACI packets.", "Switch scalability off there.")
        else:
            self.malformed += 1
        return -1

    def _fragment(self, view: memoryview, start: int, stop: int) -> int:
        pictures = self.pictures
        if stop - start < 4:
            self.malformed += 1
            return -1
        head, layer, fragment = view[start], view[start + 1], view[start + 2]
        kind = fragment & 0x3F
        if fragment & 0x80:
            if kind >= _AP:
                self.malformed += 1
                return -1
            pictures.begin(bytes((head & 0x81 | kind << 1, layer)), view[start + 3 : stop].tobytes())
        elif pictures.open:
            pictures.parts.append(view[start + 3 : stop].tobytes())
        else:
            pictures.headless()
            return -1
        if fragment & 0x40:
            pictures.end()
            return -1
        return head << 16 | layer << 8 | kind

    def _aggregate(self, view: memoryview, at: int, stop: int) -> None:
        while stop - at > 2:
            size = view[at] << 8 | view[at + 1]
            at += 2
            if size > stop - at:
                self.malformed += 1
                return
            if size > 2 and view[at] >> 1 & 0x3F < _AP:
                self.pictures.whole(view[at : at + size].tobytes())
            at += size

    def continues(self, view: memoryview, start: int, stop: int) -> bool:
        """See ingest.rtp.track.Payload."""
        head, at = view[start], start + 2
        if head >> 1 & 0x3F == _FU and stop - start > 3:
            if not view[start + 2] & 0x80:
                return False
            head, at = view[start + 2] << 1 & 0x7E, start + 3
        return at < stop and self.pictures.starts_picture(head, view[at]) is False
