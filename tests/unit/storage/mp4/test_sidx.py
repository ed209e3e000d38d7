"""An index names every entry as a place to seek to."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.mp4 import (
    sidx,
)
from storage.mp4.sidx import end_mark, sidx_size

# -- Writing


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 1 << 24), st.integers(1, 1 << 24)), max_size=30))
def test_sidx_names_every_entry_as_a_place_to_seek_to(entries: list[tuple[int, int]]) -> None:
    made = sidx(90_000, [item[0] for item in entries], [item[1] for item in entries])
    assert len(made) == sidx_size(len(entries))
    size, kind, version_flags, reference, timescale = struct.unpack_from(">I4sIII", made)
    assert (size, kind, version_flags, reference, timescale) == (len(made), b"sidx", 1 << 24, 1, 90_000)
    earliest, offset, reserved, count = struct.unpack_from(">QQHH", made, 20)
    assert (earliest, offset, reserved, count) == (0, 0, 0, len(entries) + 1)
    for number, (length, duration) in enumerate(entries):
        at = 40 + number * 12
        found = struct.unpack_from(">III", made, at)
        assert found == (length, duration, 0x90000000)
    assert struct.unpack_from(">III", made, len(made) - 12) == (len(end_mark(7)), 0, 0)
