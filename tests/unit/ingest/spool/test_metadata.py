"""A segment's metadata as written, and cut anywhere."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from domain.footage import Codec
from domain.ids import CameraId, RecorderId, SegmentId, SiteId
from ingest.spool import Beginning, Ending, Fragment
from ingest.spool.metadata import (
    begin_record,
    dropped_record,
    end_record,
    fragment_record,
    parse_journal,
    recovered_journal,
    stored_record,
)

CAMERA = CameraId(uuid.uuid4())


BEGINNING = Beginning(
    site_id=SiteId(uuid.uuid4()),
    camera_id=CAMERA,
    segment_id=SegmentId(uuid.uuid4()),
    start_ns=1_790_000_000_000_000_000,
    codec=Codec(name="h264", mime="avc1.64001f", width=1920, height=1080),
    init_size=700,
    epoch=3,
)


ENDING = Ending(
    end_ns=1_790_000_010_000_000_000,
    size_bytes=5_000_000,
    sha256=bytes(range(32)),
    header=bytes(210),
    recovered=False,
    recorder_id=RecorderId(uuid.uuid4()),
)


FRAGMENTS = [
    Fragment(start_ms=i * 500, offset=700 + i * 1000, size=1000, frames=12, key=i == 0, end_ns=i + 1) for i in range(20)
]


# -- SegmentMetadata


def test_metadata_come_back_as_written() -> None:
    data = recovered_journal(BEGINNING, FRAGMENTS, ENDING)
    metadata = parse_journal(data)
    assert metadata is not None
    assert (metadata.beginning, list(metadata.fragments), metadata.ending) == (BEGINNING, FRAGMENTS, ENDING)
    assert (metadata.stored, metadata.dropped) == (False, False)
    after = parse_journal(data + stored_record() + dropped_record())
    assert after is not None
    assert (after.stored, after.dropped) == (True, True)
    assert metadata.index().offset == tuple(item.offset for item in FRAGMENTS)


@given(st.integers(0, 3000))
def test_metadata_cut_anywhere_are_a_prefix_or_nothing(cut: int) -> None:
    data = begin_record(BEGINNING) + b"".join(map(fragment_record, FRAGMENTS)) + end_record(ENDING)
    metadata = parse_journal(data[:cut])
    if metadata is None:
        assert cut < len(begin_record(BEGINNING))
        return
    assert list(metadata.fragments) == FRAGMENTS[: len(metadata.fragments)]
    assert (metadata.ending is not None) == (cut >= len(data))
