"""A spool file's metadata becomes the catalogue's row, field by field."""

from __future__ import annotations

import uuid

from domain.footage import Codec
from domain.ids import RecorderId, SegmentId
from domain.time import Span
from ingest.recording.rows import segment_of
from ingest.spool import Beginning, Ending, Fragment
from ingest.spool.metadata import begin_record, fragment_record, parse_journal
from tests.support.footage.sealed import START_NS, finish, new_sealer, new_world


def test_row_holds_what_began_what_was_recorded_and_what_was_signed() -> None:
    world = new_world()
    sealer = new_sealer(world, start_ns=START_NS)
    ended = finish(world, sealer, end_ns=START_NS + 9)
    beginning = Beginning(
        site_id=world.site_id,
        camera_id=world.camera_id,
        segment_id=SegmentId(uuid.uuid4()),
        start_ns=START_NS,
        codec=Codec(name="h264", mime="avc1.64001f", width=320, height=192),
        init_size=700,
        epoch=3,
        init_sha256=bytes(range(32)),
    )
    pieces = [Fragment(start_ms=i * 500, offset=i * 9, size=9, frames=12, key=not i, end_ns=i) for i in range(3)]
    metadata = parse_journal(begin_record(beginning) + b"".join(map(fragment_record, pieces)))
    assert metadata is not None
    ending = Ending(
        end_ns=START_NS + 9,
        size_bytes=5,
        sha256=bytes(32),
        header=sealer.header,
        recovered=True,
        recorder_id=RecorderId(uuid.uuid4()),
        trailer=ended[-168:],
    )
    row = segment_of(metadata, ending)
    assert row.span == Span(START_NS, START_NS + 9)
    assert (row.hour_key_id, row.recorder_id) == (world.hour_key.hour_key_id, ending.recorder_id)
    assert (row.frames, row.epoch, row.recovered, row.init_size) == (36, 3, True, 700)
    assert row.fragments is not None
    assert (row.fragments.start_ms, row.fragments.key) == ((0, 500, 1000), (True, False, False))
    assert (row.trailer, row.init_sha256) == (ending.trailer, beginning.init_sha256)
