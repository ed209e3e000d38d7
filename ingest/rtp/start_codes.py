"""Cameras that send byte streams (Annex B) where RFC 6184 and RFC 7798 want single NAL units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.video import nal as nals
from ingest.video import sei
from ingest.video.parameters import Role

Begins = Mapping[int, tuple[bytes, int, int]]
"""Of the fragment headers that begin a slice: the NAL unit's header, its role, the headers that continue it."""

MAX_UNITS: Final = 1024  # that are taken out of one packet or fragmented NAL unit
_LOOKS: Final = 3  # key pictures, from the connection on, whose slices are searched
_NOTHING: Begins = {}
_NO_ROLE: Final = -1
_SLICES: Final = int(Role.KEY)


class StartCodes:
    """Which NAL units are several, or none, with start codes between them.

    A slice cannot hold a start code: emulation prevention sees to that. To search all slices would cost more than all
    the rest of depacketizing, and a camera that sends byte streams does so from its first key picture on: it is found
    out there. A SEI message may hold one as data, where a camera does not escape what it signs.

    found: this camera sends byte streams
    plain_to: NAL units up to this role are not searched; slices, unless those are
    begins: the quick way into a picture, for the reader of packets; empty while slices are searched
    doubtful: of the access unit under way, a NAL unit that may be a byte stream, or hold one as data
    """

    __slots__ = ("_begins", "_codec", "_looks", "begins", "doubtful", "found", "plain_to")

    def __init__(self, codec: str, begins: Begins) -> None:
        self._codec = codec
        self._begins = begins
        self._looks = _LOOKS
        self.begins: Begins = _NOTHING
        self.doubtful = b""
        self.found = False
        self.plain_to = _NO_ROLE

    @property
    def searching(self) -> bool:
        """Slices are searched."""
        return self.plain_to == _NO_ROLE

    def split(self, nal: bytes, role: int) -> list[bytes]:
        """The NAL units of one that holds a start code; itself alone where that is data, or may be."""
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
        """Of a byte stream."""
        self.found, self.plain_to = True, _NO_ROLE
        self.begins = _NOTHING
        return nals.units_of(self._codec, nal, MAX_UNITS)

    def looked(self) -> None:
        """A key picture was searched and held none."""
        self._looks -= 1
        if self._looks <= 0 and not self.found:
            self.plain_to = _SLICES
            self.begins = self._begins
