"""The scan in C, called by ctypes: one call takes what one read has brought, up to the first unusual packet."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ingest.native.form import ROWS_MAX, Form, Row, Scan
from ingest.native.reference import PythonScan

SOURCE: Final = Path(__file__).with_name("scan.c")
SWITCH: Final = "TALLENNE_NATIVE"
"""``off`` in the environment: the Python version is used, whatever was compiled."""
_FIXED: Final = struct.Struct("=8Q")  # struct track in scan.c, the same in every call
_CHANGING: Final = struct.Struct("=QqqQ")  # the rest of it
_ROW: Final = 6  # numbers in a row
_NO_HEADER: Final = (1 << 64) - 1


def library_path() -> Path:
    """Where the compiled library of this source is, or would be: in the environment that runs this Python."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    return Path(sys.prefix) / "lib" / f"tallenne-scan-{digest}.so"


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled library; None where there is none, or it is switched off."""
    if os.environ.get(SWITCH) == "off":
        return None
    try:
        return opened(library_path())
    except OSError:
        return None


def opened(path: Path) -> ctypes.CDLL:
    """A compiled scan.c. OSError: there is none that this machine can load."""
    found = ctypes.CDLL(str(path))
    pointer, number = ctypes.c_void_p, ctypes.c_uint64
    found.tallenne_scan.restype = ctypes.c_int64
    found.tallenne_scan.argtypes = (pointer, number, number, pointer, pointer, ctypes.c_int64, pointer)
    return found


def in_use() -> str:
    """The version that is in use, for people: "C" or "Python"."""
    return "Python" if library() is None else "C"


def make_scan(lead: int, plain: int, form: Form) -> Scan:
    """The scan of a track, by the compiled library if there is one. See PythonScan."""
    found = library()
    return PythonScan(lead, plain, form) if found is None else NativeScan(found, lead, plain, form)


class NativeScan:
    """See Scan."""

    __slots__ = ("_data", "_numbers", "_pinned", "_python", "_rows_at", "_scan", "_track", "_track_at", "_view")

    def __init__(self, found: ctypes.CDLL, lead: int, plain: int, form: Form) -> None:
        """``found``: the compiled library. See PythonScan."""
        self._python = PythonScan(lead, plain, form)
        self._track = bytearray(_FIXED.size + _CHANGING.size)
        kinds = sum(1 << kind for kind in {header & form.kinds for header in form.slices})
        _FIXED.pack_into(self._track, 0, lead, plain, form.skip, form.shift, form.mask, form.pattern, form.kinds, kinds)
        rows = bytearray(8 * (1 + _ROW * ROWS_MAX))  # where the first frame is that is not taken, and the rows
        self._numbers = memoryview(rows).cast("Q")
        self._pinned = [_pinned(memoryview(self._track)), _pinned(memoryview(rows))]
        self._track_at, self._rows_at = map(ctypes.addressof, self._pinned)
        self._scan: Any = found.tallenne_scan
        self._view = memoryview(b"")
        self._data = 0

    def __call__(
        self, view: memoryview, at: int, end: int, stamp: int, expected: int, middle: int, flags: int
    ) -> tuple[Sequence[Row], int]:
        """See Scan."""
        if view is not self._view and not self._lend(view):
            return self._python(view, at, end, stamp, expected, middle, flags)
        assert 0 <= at <= end <= len(view)
        _CHANGING.pack_into(self._track, _FIXED.size, stamp & _NO_HEADER, expected, middle, flags)
        rows_at = self._rows_at
        count = self._scan(self._data, at, end, self._track_at, rows_at + 8, ROWS_MAX, rows_at)
        if not count:
            return (), at
        numbers = iter(self._numbers[1 : 1 + _ROW * count].tolist())
        rows = [
            (-1 if header == _NO_HEADER else header, its, [view[begin:stop]], packets, bool(ends))
            for header, its, begin, stop, packets, ends in zip(*[numbers] * _ROW, strict=True)
        ]
        return rows, self._numbers[0]

    def _lend(self, view: memoryview) -> bool:
        """Find the address of a buffer. False: it can only be read."""
        if view.readonly:
            return False
        self._pinned[2:] = [_pinned(view)]
        self._view, self._data = view, ctypes.addressof(self._pinned[2])
        return True


def _pinned(view: memoryview) -> ctypes.Array[ctypes.c_char]:
    """The buffer as ctypes has it: while this lives, its address stays."""
    return (ctypes.c_char * len(view)).from_buffer(view)
