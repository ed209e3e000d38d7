"""NAL units to access units: parameter sets taken out, damaged pictures and what refers to them dropped."""

from __future__ import annotations

import re
from typing import Final

from ingest.access_unit import AccessUnit, Loss, VideoParameters
from ingest.errors import StreamError
from ingest.video.parameters import H264_ROLES, H265_ROLES, Role, activated, check, parameters_from

_MAX_BYTES: Final = 16 << 20
_MAX_PARTS: Final = 1 << 17  # a part may be a single byte
_MANY_PARTS: Final = 256
_MAX_SETS: Final = 64
_KEY, _SET, _KEEP = int(Role.KEY), int(Role.SET), int(Role.KEEP)  # plain integers compare faster
_H264, _H265 = (tuple(map(int, roles)) for roles in (H264_ROLES, H265_ROLES))
_START = re.compile(rb"\x00*\x00\x00\x01")
_Items = list[AccessUnit | Loss]


class Pictures:
    """``begin()``, pieces appended to ``parts``, ``end()`` per NAL unit, or ``whole()``; ``finish()`` per picture.

    parts: what the picture under way is made of, to be joined; whoever reads packets appends to it directly, views of
    the receive buffer too, if ``keep()`` is called before that is used again
    pts_ticks: of the picture under way
    """

    __slots__ = (
        "_broken",
        "_bump",
        "_complete",
        "_first",
        "_head",
        "_header",
        "_kept",
        "_key",
        "_known",
        "_last_ticks",
        "_mask",
        "_open_at",
        "_open_role",
        "_pending",
        "_pictured",
        "_roles",
        "_sets",
        "_shift",
        "codec",
        "overlong",
        "parameters",
        "parts",
        "passed_over",
        "pts_ticks",
        "repeated",
        "started",
        "waiting",
    )  # fmt: skip

    def __init__(self, codec: str, parameters: VideoParameters | None) -> None:
        """``parameters``: from the session description, if they are there and make sense."""
        self.codec = codec
        self.parameters = parameters
        self.parts: list[bytes | memoryview] = []
        self.pts_ticks = 0
        self.waiting = True  # for a key frame
        self.started = False  # a picture was given
        self.repeated = 0  # timestamps that were moved on by a tick
        self.overlong = 0
        self.passed_over = 0  # whole pictures, while one is waited for with which decoding can begin
        self._roles, self._head, self._shift = (_H264, 1, 0) if codec == "h264" else (_H265, 2, 1)
        self._mask = len(self._roles) - 1
        self._known: frozenset[bytes] = parameters.all if parameters else frozenset()
        self._complete = parameters is not None
        self._sets: list[bytes] = []
        self._open_at, self._open_role = -1, _KEEP
        self._pictured = self._key = self._first = self._broken = False
        self._pending = 0
        self._last_ticks: int | None = None
        self._bump = 0
        self._header = b""
        self._kept = 0  # parts that are no views

    @property
    def open(self) -> bool:
        """A NAL unit has begun and not ended."""
        return self._open_at >= 0

    @property
    def pictured(self) -> bool:
        """The picture under way has a slice."""
        return self._pictured

    def begin(self, header: bytes, piece: bytes) -> None:
        """The first piece of a NAL unit, behind its header."""
        if self._open_at >= 0:
            self.end()
        role = self._open_role = self._roles[header[0] >> self._shift & self._mask]
        self._open_at, self._header = len(self.parts), header
        self.parts += (header, piece)
        if role <= _KEY:
            if not self._pictured:
                self._pictured, self._first = True, piece[:1] >= b"\x80"
            if role:
                self._key = True

    def begin_slice(self, header: bytes, role: int, piece: memoryview, first: int) -> None:
        """``begin()`` for a picture's first NAL unit, when nothing waits. ``first``: its first bit is set."""
        self._open_at, self._open_role, self._header = 0, role, header
        self.parts += (header, piece)
        self._pictured, self._first, self._key = True, first != 0, role == _KEY

    def end(self) -> None:
        """The NAL unit under way is whole."""
        at, parts = self._open_at, self.parts
        self._open_at = -1
        if self._open_role <= _KEY:
            parts[at] = sum(map(len, parts[at:])).to_bytes(4, "big") + self._header
            return
        nal = b"".join(parts[at:])
        del parts[at:]
        self._kept = min(self._kept, at)
        self._other(nal, self._open_role)

    def whole(self, nal: bytes) -> None:
        """A NAL unit in one piece; not empty."""
        if self._open_at >= 0:
            self.end()
        role = self._roles[nal[0] >> self._shift & self._mask]
        if role > _KEY:
            self._other(nal, role)
            return
        self.parts += (len(nal).to_bytes(4, "big"), nal)
        if not self._pictured:
            self._pictured, self._first = True, nal[self._head : self._head + 1] >= b"\x80"
        if role:
            self._key = True

    def starts_picture(self, nal_head: int, first_byte: int) -> bool | None:
        """Whether a slice with this header byte and first byte begins a picture; None when it is no slice."""
        if self._roles[nal_head >> self._shift & self._mask] > _KEY:
            return None
        return first_byte >= 0x80

    def finish(self, mono_ns: int, out: _Items) -> None:
        """The picture under way is whole. Without a slice it is kept for the next: SEI, sets that came alone."""
        if self._open_at >= 0:
            self.end()
        if self._broken or (not self._pictured and len(self.parts) > 64):
            self._lose(0, "a part of a picture is missing", out)
            self._drop()
            self._broken = False
            return
        if self._sets:
            self._take_sets()
        if not self._pictured:
            return
        parts, key, first = self.parts, self._key, self._first
        self.parts, self._kept, self._pictured, self._key = [], 0, False, False
        if self.waiting:
            if not (key and first and self._complete):
                self.passed_over += 1
                return
            self.waiting, self.started = False, True
            if self._pending:
                out.append(Loss(self._pending))
                self._pending = 0
        if not self._complete:
            self._lose(0, "the camera changed its parameter sets by halves", out)
            return
        assert self.parameters is not None
        ticks = self.pts_ticks
        if ticks == self._last_ticks:
            ticks = self._moved_on(ticks)
        else:
            self._last_ticks, self._bump = ticks, 0
        data = b"".join(parts)
        if key and self.parameters.more_sps:
            self.parameters = activated(self.parameters, data)
        out.append(AccessUnit(data, ticks, key, mono_ns, self.parameters))

    def lost(self, packets: int, detail: str, out: _Items) -> None:
        """Packets are missing here: the picture under way is damaged, and what refers to it."""
        self._drop()
        self._broken = True
        self._lose(packets, detail, out)

    def headless(self) -> None:
        """A piece came whose NAL unit never began."""
        self._broken = True

    def keep(self, out: _Items) -> None:
        """The receive buffer is about to be used again. A picture that never ends is given up."""
        parts = self.parts
        for place in range(self._kept, len(parts)):
            part = parts[place]
            if type(part) is memoryview:
                parts[place] = part.tobytes()
        self._kept = len(parts)
        if len(parts) > _MANY_PARTS and (len(parts) > _MAX_PARTS or sum(map(len, parts)) > _MAX_BYTES):
            self.overlong += 1
            self.lost(0, "a picture of more than 16 MiB", out)

    def _lose(self, packets: int, detail: str, out: _Items) -> None:
        if self.waiting:
            self._pending += packets if self.started else 0
            return
        self.waiting = True
        out.append(Loss(packets, detail=detail))

    def _drop(self) -> None:
        self.parts = []
        self._kept = 0
        self._open_at = -1
        self._pictured = self._key = False

    def _other(self, nal: bytes, role: int) -> None:
        """No slice. Some cameras put several NAL units with start codes into one."""
        if b"\x00\x00\x01" in nal:
            for piece in _START.split(nal):
                if piece:
                    self.whole(piece)
        elif role == _SET:
            if len(self._sets) < _MAX_SETS:
                self._sets.append(nal.rstrip(b"\x00"))
        elif role == _KEEP and len(nal) > self._head:
            self.parts += (len(nal).to_bytes(4, "big"), nal)

    def _take_sets(self) -> None:
        """A change takes effect with the picture that the sets came with."""
        if self._complete and self._known.issuperset(self._sets):
            self._sets.clear()
            return
        made = parameters_from(self.codec, self._sets, self.parameters)
        self._complete = made is not None
        if made is None:
            return  # the rest may follow
        if made is not self.parameters:
            check(made)
            self.parameters, self._known = made, made.all
        self._sets.clear()

    def _moved_on(self, ticks: int) -> int:
        """Cameras that give two pictures one timestamp get the second shown a tick later."""
        self._bump += 1
        self.repeated += 1
        return ticks + self._bump


def described(codec: str, sets: list[bytes]) -> VideoParameters | None:
    """From the session description; None unless complete and sensible: the stream then has to bring its own."""
    nals = [piece.rstrip(b"\x00") for item in sets for piece in _START.split(item)]
    nals = [item for item in nals if len(item) > 2]
    try:
        made = parameters_from(codec, nals, None)
        if made is not None:
            check(made)
    except StreamError:
        return None
    return made
