"""Assembles the current access unit from the pieces of NAL units that packets carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ingest.rtp.counts import Counts
from ingest.rtp.start_codes import MAX_UNITS, StartCodes
from ingest.video import nal as nals
from ingest.video.parameters import Role, role_of

MAX_BYTES: Final = 16 << 20
MAX_PIECES: Final = 1 << 17  # a piece may be a single byte
_LEADING_PARTS_MAX: Final = 64  # parts of SEI messages that wait for a picture
_SETS_MAX: Final = 64
# Plain integers compare faster.
_KEY, _SET, _DROP, _KEEP = (int(one) for one in (Role.KEY, Role.SET, Role.DROP, Role.KEEP))


class Assembly:
    """For each NAL unit call ``begin()``, append to ``parts``, call ``end()``; or ``whole()``. Then ``take()``.

    parts: the parts of the access unit
    open_at: index in ``parts`` of the current NAL unit; -1: none
    sliced, key: whether there is a slice, and one of a picture with which decoding can begin
    torn: whether a part is missing; ``torn_head``: header of the NAL unit that lacks it, if known
    sets: the parameter sets of the access unit
    """

    __slots__ = (
        "_bytes", "_counts", "_head_bytes", "_kept", "_open_header", "_open_role", "_pieces", "codec", "key", "open_at",
        "parts", "sets", "sliced", "start_codes", "torn", "torn_head",
    )  # fmt: skip

    def __init__(self, codec: str, counts: Counts) -> None:
        self.codec = codec
        self.start_codes = StartCodes(codec)
        self.parts: list[bytes | memoryview] = []
        self.sets: list[bytes] = []
        self.open_at = -1
        self.sliced = self.key = self.torn = False
        self.torn_head = b""
        self._open_header, self._open_role = b"", _KEEP
        self._kept = self._bytes = 0  # number of parts that are not views, and their size
        self._pieces = 0  # number of pieces that these came in
        self._head_bytes = nals.header_bytes(codec)
        self._counts = counts

    def check(self) -> None:
        """AssertionError unless the state is consistent."""
        assert -1 <= self.open_at < max(1, len(self.parts))
        assert self.open_at < 0 or self.parts[self.open_at] == self._open_header, "a NAL unit begins with its header"
        assert self.sliced or not self.key, "a key picture has a slice"
        assert self.torn or not self.torn_head
        assert 0 <= self._kept <= len(self.parts)
        assert not any(type(part) is memoryview for part in self.parts[: self._kept]), "views do not outlive a read"
        assert self._bytes == sum(map(len, self.parts[: self._kept]))
        assert len(self.sets) <= _SETS_MAX

    # -- NAL units

    def begin(self, header: bytes, role: int, piece: bytes) -> None:
        """Begin a NAL unit with its header and its first piece, which may be empty."""
        if self.open_at >= 0:
            self.end()
        self.open_at, self._open_role, self._open_header = len(self.parts), role, header
        self.parts += (header, piece)

    def begin_view(self, header: bytes, role: int) -> None:
        """As ``begin()``, for the first NAL unit of an access unit, whose pieces are added as views."""
        self.open_at, self._open_role, self._open_header = 0, role, header
        self.parts.append(header)

    def whole_view(self, header: bytes, role: int, pieces: Sequence[memoryview]) -> None:
        """Add a slice that is a whole access unit: nothing waits, and it is taken before the buffer is reused."""
        size = len(header) + sum(map(len, pieces))
        self.parts = [size.to_bytes(4, "big"), header, *pieces]
        self.sliced = True
        self.key = role > 0

    def add_views(self, pieces: Sequence[memoryview], count: int) -> None:
        """Add to the current NAL unit what ``count`` packets carried. Call ``keep()`` before the buffer is reused."""
        self.parts += pieces
        self._pieces += count

    @property
    def ends_alone(self) -> bool:
        """Whether nothing stays in this place when the access unit, with the present NAL unit, ends."""
        if self.open_at >= 0:
            return self.sliced or self._open_role <= self.start_codes.plain_to
        return not self.parts

    def end(self) -> None:
        """End the current NAL unit."""
        at, parts, role = self.open_at, self.parts, self._open_role
        self.open_at = -1
        size = sum(map(len, parts[at:]))
        if size <= self._head_bytes:
            self._cut(at)  # fragments without data
        elif role > self.start_codes.plain_to:
            nal = b"".join(parts[at:])
            self._cut(at)
            self._one_or_more(nal, role)
        else:
            parts[at] = size.to_bytes(4, "big") + self._open_header
            self._bytes += 4 * (at < self._kept)
            self.sliced = True
            if role:
                self.key = True

    def whole(self, nal: bytes, role: int) -> None:
        """Add a NAL unit in one piece; not empty."""
        if self.open_at >= 0:
            self.end()
        if role > self.start_codes.plain_to:
            self._one_or_more(nal, role)
            return
        self.parts += (len(nal).to_bytes(4, "big"), nal)
        self.sliced = True
        if role:
            self.key = True

    def tear(self, head: bytes = b"") -> None:
        """Note a loss at this place, and within the current NAL unit if there is one.

        head: the header of a NAL unit whose start is missing
        """
        self.torn = True
        if self.open_at >= 0:
            head = self._open_header
            self._cut(self.open_at)
            self.open_at = -1
        self.torn_head = head or self.torn_head

    # -- Access units

    def take(self) -> bytes:
        """Return the access unit, each NAL unit after its length in 4 bytes, and begin the next."""
        data = b"".join(self.parts)
        self.parts = []
        self.sliced = self.key = False
        self._kept = self._bytes = self._pieces = 0
        return data

    def drop(self) -> None:
        """Drop the access unit except its parameter sets, and begin the next."""
        self.parts, self.open_at = [], -1
        self._kept = self._bytes = self._pieces = 0
        self.sliced = self.key = self.torn = False
        self.torn_head = self.start_codes.doubtful = b""

    def await_slice(self) -> bool:
        """Handle an end without a slice. False: the NAL units are kept for the next access unit.

        True: a slice was found in what was taken for data, or too much waits and the access unit counts as torn.
        """
        doubtful, self.start_codes.doubtful = self.start_codes.doubtful, b""
        if doubtful and doubtful in self.parts:
            at = self.parts.index(doubtful)
            del self.parts[at - 1 : at + 1]
            self._forget(at - 1)
            self._several(self.start_codes.units(doubtful))
        self.torn = self.torn or (len(self.parts) > _LEADING_PARTS_MAX and not self.sliced)
        return self.sliced or self.torn

    def keep(self) -> bool:
        """Copy the views, since the receive buffer is about to be reused. False: the access unit is too large."""
        parts = self.parts
        for place in range(self._kept, len(parts)):
            part = parts[place]
            self._bytes += len(part)
            if type(part) is memoryview:
                parts[place] = part.tobytes()
            else:
                self._pieces += 1
        self._kept = len(parts)
        return self._pieces <= MAX_PIECES and self._bytes <= MAX_BYTES

    # -- NAL units that are not slices, or may be several

    def _cut(self, at: int) -> None:
        del self.parts[at:]
        self._forget(at)

    def _forget(self, at: int) -> None:
        """Parts from this index on have changed."""
        if at < self._kept:
            self._kept, self._bytes = at, sum(map(len, self.parts[:at]))

    def _one_or_more(self, nal: bytes, role: int) -> None:
        found = self.start_codes.split(nal, role) if nals.START_CODE in nal else None
        if found is None or (len(found) == 1 and found[0] is nal):
            self._add(nal, role)
        else:
            self._several(found)

    def _several(self, found: list[bytes]) -> None:
        self._counts.work += len(found)
        if len(found) == MAX_UNITS:
            self._counts.overlong += 1
            self.tear()
            return
        for nal in found:
            self._add(nal, role_of(self.codec, nal))

    def _add(self, nal: bytes, role: int) -> None:
        if role == _SET:
            if len(self.sets) < _SETS_MAX:
                self.sets.append(nal.rstrip(b"\x00"))
        elif role != _DROP and len(nal) > self._head_bytes:
            self.parts += (len(nal).to_bytes(4, "big"), nal)
            if role <= _KEY:
                self.sliced = True
                self.key = self.key or role == _KEY
