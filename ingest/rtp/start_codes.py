"""Handles cameras that send byte streams (Annex B) where RFC 6184 and RFC 7798 require single NAL units."""

from __future__ import annotations

from typing import Final

from ingest.video import nal as nals
from ingest.video import sei
from ingest.video.parameters import Role

MAX_UNITS: Final = 1024  # taken from one packet or fragmented NAL unit at most
_LOOKS: Final = 3  # key pictures after connecting whose slices are searched
_NO_ROLE: Final = -1
_SLICES: Final = int(Role.KEY)


class StartCodes:
    """Finds NAL units that are several, separated by start codes.

    A slice contains no start code, because of emulation prevention (ITU-T H.264, 7.4.1). Searching all slices would
    cost more than the rest of depacketizing, and a camera that sends byte streams does so from its first key picture
    on: only the first key pictures are searched. A SEI message may contain one as unescaped data.

    found: this camera sends byte streams
    plain_to: NAL units up to this role are not searched: slices, unless slices are searched
    doubtful: a NAL unit of the current access unit that may be a byte stream, or hold one as data
    """

    __slots__ = ("_codec", "_looks", "doubtful", "found", "plain_to")

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._looks = _LOOKS
        self.doubtful = b""
        self.found = False
        self.plain_to = _NO_ROLE

    @property
    def searching(self) -> bool:
        """Whether slices are searched."""
        return self.plain_to == _NO_ROLE

    def split(self, nal: bytes, role: int) -> list[bytes]:
        """Split a NAL unit that contains a start code; unchanged where the start code is, or may be, data."""
        if role == Role.KEEP and not self.found:
            if not nals.is_sei(self._codec, nal[0]):
                self.doubtful = nal
                return [nal]
            end = sei.end_of_unit(nal, 0, nals.header_bytes(self._codec))
            if end < 0:
                self.doubtful = nal
            if end < 0 or end >= len(nal.rstrip(b"\x00")):
                return [nal]
        return self.units(nal)

    def units(self, nal: bytes) -> list[bytes]:
        """Return the NAL units of a byte stream."""
        self.found, self.plain_to = True, _NO_ROLE
        return nals.units_of(self._codec, nal, MAX_UNITS)

    def looked(self) -> None:
        """Note a key picture without start codes."""
        self._looks -= 1
        if self._looks <= 0 and not self.found:
            self.plain_to = _SLICES
