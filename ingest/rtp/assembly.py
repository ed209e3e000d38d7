"""The access unit under way: NAL units put together from the pieces that packets carry."""

from __future__ import annotations

from typing import Final

from ingest.rtp.counts import Counts
from ingest.rtp.start_codes import MAX_UNITS, Begins, StartCodes
from ingest.video import nal as nals
from ingest.video.parameters import Role, role_of

MAX_BYTES: Final = 16 << 20
MAX_PARTS: Final = 1 << 17  # a part may be a single byte
_LEADING_PARTS_MAX: Final = 64  # of SEI messages that wait for a picture
_MEASURED_PARTS: Final = 256  # fewer cannot be too large
_SETS_MAX: Final = 64
# Plain integers compare faster.
_KEY, _SET, _DROP, _KEEP = (int(one) for one in (Role.KEY, Role.SET, Role.DROP, Role.KEEP))


class Assembly:
    """For each NAL unit ``begin()``, pieces appended to ``parts``, ``end()``; or ``whole()``. At last ``take()``.

    parts: what the access unit is made of, to be joined. The reader of packets appends to it directly, also views of
        the receive buffer, if ``keep()`` is called before that is used again
    open_at: where in ``parts`` the NAL unit under way begins; -1 when there is none
    sliced, key: there is a slice; one of a picture with which decoding can begin
    torn: something is missing; ``torn_head``: the header of a NAL unit of which a part is missing, if there is one
    sets: the parameter sets that came with it
    """

    __slots__ = (
        "_counts", "_head_bytes", "_kept", "_measure_at", "_open_header", "_open_role", "codec", "key", "open_at",
        "parts", "sets", "sliced", "start_codes", "torn", "torn_head",
    )  # fmt: skip

    def __init__(self, codec: str, begins: Begins, counts: Counts) -> None:
        self.codec = codec
        self.start_codes = StartCodes(codec, begins)
        self.parts: list[bytes | memoryview] = []
        self.sets: list[bytes] = []
        self.open_at = -1
        self.sliced = self.key = self.torn = False
        self.torn_head = b""
        self._open_header, self._open_role = b"", _KEEP
        self._kept = 0  # parts that are no views
        self._measure_at = _MEASURED_PARTS  # so many parts are added up again
        self._head_bytes = nals.header_bytes(codec)
        self._counts = counts

    def check(self) -> None:
        """AssertionError unless the state makes sense."""
        assert -1 <= self.open_at < max(1, len(self.parts))
        assert self.open_at < 0 or self.parts[self.open_at] == self._open_header, "a NAL unit begins with its header"
        assert self.sliced or not self.key, "a key picture has a slice"
        assert self.torn or not self.torn_head
        assert 0 <= self._kept <= len(self.parts)
        assert not any(type(part) is memoryview for part in self.parts[: self._kept]), "views do not outlive a gulp"
        assert len(self.sets) <= _SETS_MAX

    # -- NAL units

    def begin(self, header: bytes, role: int, piece: bytes) -> None:
        """The first piece of a NAL unit, behind its header; it may be empty."""
        if self.open_at >= 0:
            self.end()
        self.open_at, self._open_role, self._open_header = len(self.parts), role, header
        self.parts += (header, piece)

    def begin_slice(self, header: bytes, role: int, piece: memoryview) -> None:
        """``begin()`` for the first NAL unit of an access unit."""
        self.open_at, self._open_role, self._open_header = 0, role, header
        self.parts += (header, piece)

    def end(self) -> None:
        """The NAL unit under way is whole."""
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
            self.sliced = True
            if role:
                self.key = True

    def whole(self, nal: bytes, role: int) -> None:
        """A NAL unit in one piece; not empty."""
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
        """Something is missing here, also of the NAL unit under way, if there is one.

        head: the header of a NAL unit whose beginning is missing
        """
        self.torn = True
        if self.open_at >= 0:
            head = self._open_header
            self._cut(self.open_at)
            self.open_at = -1
        self.torn_head = head or self.torn_head

    # -- Access units

    def take(self) -> bytes:
        """The access unit, each NAL unit behind its length in 4 bytes; the next begins."""
        data = b"".join(self.parts)
        self.parts = []
        self.sliced = self.key = False
        if self._kept:
            self._kept, self._measure_at = 0, _MEASURED_PARTS
        return data

    def drop(self) -> None:
        """Nothing of it is wanted but its parameter sets; the next begins."""
        self.parts, self._kept, self._measure_at, self.open_at = [], 0, _MEASURED_PARTS, -1
        self.sliced = self.key = self.torn = False
        self.torn_head = self.start_codes.doubtful = b""

    def await_slice(self) -> bool:
        """It ended without a slice: what there is goes with the next access unit, and False.

        True when there is one after all, in what was taken for data; or when too much waits, and it is torn.
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
        """The receive buffer is about to be used again. False when the access unit has become too large."""
        parts = self.parts
        for place in range(self._kept, len(parts)):
            part = parts[place]
            if type(part) is memoryview:
                parts[place] = part.tobytes()
        self._kept = len(parts)
        if self._kept < self._measure_at:
            return True
        self._measure_at = self._kept + self._kept // 8  # so that adding up costs little
        return self._kept <= MAX_PARTS and sum(map(len, parts)) <= MAX_BYTES

    # -- What is no slice, or may be more than one NAL unit

    def _cut(self, at: int) -> None:
        del self.parts[at:]
        self._forget(at)

    def _forget(self, at: int) -> None:
        """Parts from there on are others now."""
        self._kept = min(self._kept, at)
        if not at:
            self._measure_at = _MEASURED_PARTS

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
