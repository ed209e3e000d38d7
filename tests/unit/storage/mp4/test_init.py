"""A merged init has all descriptions and the duration."""

from __future__ import annotations

import pytest

from ingest.media.init import make_init
from storage.mp4 import (
    boxes,
    delay_of,
    edit_list,
    find,
    merge_inits,
)
from tests.support.footage.fragments import H264, H265, init_of

CODEC, INIT = init_of()


def test_merged_init_has_all_descriptions_and_the_duration() -> None:
    other = make_init(H265)[1]
    merged = merge_inits([INIT, other], 12.5)
    stsd = find(merged, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    assert int.from_bytes(merged[stsd.body + 4 : stsd.body + 8], "big") == 2
    kinds = [item.kind for item in boxes(merged, stsd.body + 8, stsd.end)]
    assert kinds == [b"avc1", b"hvc1"]
    mehd = find(merged, b"moov", b"mvex", b"mehd")
    assert int.from_bytes(merged[mehd.body + 4 : mehd.end], "big") == 12.5 * 90_000
    assert [item.kind for item in boxes(merged)] == [b"ftyp", b"moov"]
    again = merge_inits([merged], 1.0)
    assert [item.kind for item in boxes(again)] == [b"ftyp", b"moov"]
    moov = find(again, b"moov")
    assert [item.kind for item in boxes(again, moov.body, moov.end)].count(b"mvex") == 1


@pytest.mark.parametrize("own", [0, 3600])
@pytest.mark.parametrize("wanted", [0, 7200])
def test_merged_init_has_the_clips_delay_whatever_the_segments_was(own: int, wanted: int) -> None:
    merged = merge_inits([make_init(H264, own)[1]], 2.0, wanted)
    assert delay_of(merged) == wanted
    assert merged.count(b"elst") == (1 if wanted else 0)
    assert len(edit_list(wanted)) == (36 if wanted else 0)
