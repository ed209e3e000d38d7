"""What a spool still holds of a camera, read beside the recorder that uses it."""

from __future__ import annotations

from domain.ids import CameraId, new_id
from domain.time import NS
from ingest.spool.summary import oldest_waiting
from tests.support.footage.sealed import START_NS
from tests.support.footage.spool_bench import Bench


def test_oldest_segment_counts_also_while_it_is_recorded(bench: Bench) -> None:
    camera_id = bench.world.camera_id
    assert oldest_waiting(bench.directory / "elsewhere", camera_id) is None
    assert oldest_waiting(bench.directory, camera_id) is None
    bench.begin(START_NS + 10 * NS)
    assert oldest_waiting(bench.directory, camera_id) == START_NS + 10 * NS
    pending, _ = bench.whole()
    assert oldest_waiting(bench.directory, camera_id) == START_NS
    assert oldest_waiting(bench.directory, CameraId(new_id())) is None
    bench.spool.remove(pending)
    assert oldest_waiting(bench.directory, camera_id) == START_NS + 10 * NS
