"""The scan in Python: the reference for scan.c, and in use where no compiler was to be had."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from ingest.native.form import (
    BY_TIME,
    DOLLAR,
    FINISHED,
    FIRST,
    HEAD_BYTES,
    LAST,
    MARKER,
    MAY_BEGIN,
    NUMBERS,
    ROWS_MAX,
    SOURCE,
    Form,
    Row,
)  # fmt: skip

_HEAD: Final = struct.Struct(">HHHHQI")  # $ and channel, length, flags and type, sequence, time and source, payload
_NONE: Final = -1


class PythonScan:
    """See Scan."""

    __slots__ = ("_form", "_lead", "_plain")

    def __init__(self, lead: int, plain: int, form: Form) -> None:
        """lead: $ and the channel. plain: the first two bytes of a packet without anything unusual."""
        self._lead, self._plain, self._form = lead, plain, form

    def __call__(
        self, view: memoryview, at: int, end: int, stamp: int, expected: int, middle: int, flags: int
    ) -> tuple[Sequence[Row], int]:
        """See Scan."""
        rows: list[Row] = []
        unpack, lead, plain, skip, shift = _HEAD.unpack_from, self._lead, self._plain, self._form.skip, self._form.shift
        marked = _NONE if flags & BY_TIME else plain | MARKER
        may_begin = flags & MAY_BEGIN
        finished = may_begin and flags & FINISHED
        last = middle ^ LAST
        begun, pieces = _NONE, list[memoryview]()
        while at < end:
            first, length, kind, number, its, header = unpack(view, at)
            after = at + HEAD_BYTES + length
            if first != lead or length <= skip or after >= end or view[after] != DOLLAR or number != expected:
                break
            header >>= shift
            if its == stamp:
                if middle < 0 or not ((header == middle and kind == plain) or (header == last and kind == marked)):
                    break
            elif not finished or kind != plain or not self._begins(header, its ^ stamp):
                break
            if not pieces and len(rows) == ROWS_MAX:
                break
            if its != stamp:
                begun, stamp, finished = header, its, 0
                middle, last = header ^ FIRST, header ^ FIRST ^ LAST
            pieces.append(view[at + skip : after])
            expected = expected + 1 & NUMBERS - 1
            at = after
            if kind != plain:
                rows.append((begun, stamp, pieces, len(pieces), True))
                begun, pieces = _NONE, []
                middle, finished = _NONE, may_begin
        if pieces:
            rows.append((begun, stamp, pieces, len(pieces), False))
        return rows, at

    def _begins(self, header: int, change: int) -> bool:
        return header in self._form.slices and not change & SOURCE
