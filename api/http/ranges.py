"""One byte range per request (RFC 9110, section 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ONE: Final = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Half-open [start, end)."""

    start: int
    end: int


class UnsatisfiableRangeError(ValueError):
    """Status 416: several ranges, a range outside of the file, or an invalid one."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Parse the header; None: the whole file, also for a unit other than bytes. UnsatisfiableRangeError."""
    if header is None or not header.strip().lower().startswith("bytes"):
        return None
    match = _ONE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        raise UnsatisfiableRangeError(header[:40])
    if not match[1]:
        length = min(int(match[2]), size)
        found = ByteRange(size - length, size)
    else:
        found = ByteRange(int(match[1]), min(int(match[2]) + 1, size) if match[2] else size)
    if found.start >= found.end:
        raise UnsatisfiableRangeError(header[:40])
    return found
