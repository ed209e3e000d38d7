"""Recovery of spool files after a crash: what is published, cut, set aside or deleted."""

from __future__ import annotations

import hashlib
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.time import NS, Span
from ingest.spool import (
    CameraPosition,
    DamagedSpoolFileError,
    RecoveryOutcome,
    RecoveryResult,
)
from ingest.spool.metadata import parse_journal
from ingest.spool.records import unpacked
from storage.keys import RecorderIdentity
from storage.sealed import HEADER_SIZE, OVERHEAD
from storage.sealed.format import TAG_SIZE, TRAILER_SIZE
from tests.support.footage.fragments import FRAGMENT_NS
from tests.support.footage.recording import break_at
from tests.support.footage.sealed import START_NS
from tests.support.footage.spool_bench import Bench

CHUNK = 1 << 14


def test_whole_file_whose_facts_lost_records_is_published_without_an_index(bench: Bench) -> None:
    for number, left in enumerate((0, 1, 3, 4)):
        segment = bench.begin(START_NS + number * 10 * NS)
        bench.feed(segment, [30_000] * 4)
        place = segment.file.place
        segment.finish(segment.start_ns + 2 * NS, bench.identity, CameraPosition())
        bench.spool.abandon(segment.file)
        records = [end for _, end in unpacked(place.metadata.read_bytes())]
        place.metadata.write_bytes(place.metadata.read_bytes()[: records[left]])
        assert bench.spool.recover(place, bench.identity).outcome is RecoveryOutcome.PUBLISHED
        metadata = parse_journal(place.metadata.read_bytes())
        assert metadata is not None
        assert len(metadata.fragments) == (4 if left == 4 else 0)
        assert (metadata.index() is None) == (left != 4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_crash_at_any_byte_of_either_file_leaves_what_can_be_opened(bench: Bench, data: st.DataObject) -> None:
    """Cut the sealed file and the metadata anywhere: what is kept opens, and holds whole fragments only."""
    sizes = data.draw(st.lists(st.integers(200, 60_000), min_size=1, max_size=6))
    segment = bench.begin()
    handed_in = bench.feed(segment, sizes)
    place = segment.file.place
    if data.draw(st.booleans()):
        segment.finish(START_NS + len(sizes) * FRAGMENT_NS, bench.identity, CameraPosition())
    bench.spool.abandon(segment.file)
    whole_sealed, whole_facts = place.part.read_bytes(), place.metadata.read_bytes()
    cut = data.draw(st.integers(0, len(whole_sealed)))
    facts_cut = data.draw(st.sampled_from([len(whole_facts), data.draw(st.integers(0, len(whole_facts)))]))
    place.part.write_bytes(whole_sealed[:cut])
    place.metadata.write_bytes(whole_facts[:facts_cut])
    before = bench.spool.positions.load(bench.world.camera_id)

    result = bench.spool.recover(place, bench.identity)

    if result.outcome in (RecoveryOutcome.EMPTY, RecoveryOutcome.DAMAGED):
        assert not place.part.exists()
        assert not place.metadata.exists()
        assert bench.spool.positions.load(bench.world.camera_id) == before
        if result.outcome is RecoveryOutcome.DAMAGED:
            assert (bench.spool.layout.damaged / place.part.name).read_bytes() == whole_sealed[:cut]
        else:
            full = max(0, cut - HEADER_SIZE) // (CHUNK + TAG_SIZE) * CHUNK
            known = parse_journal(whole_facts[:facts_cut])
            held = [f for f in known.fragments if f.offset + f.size <= full] if known else []
            assert cut < OVERHEAD or (known is not None and not held)
        return
    hold_to_what_was_handed_in(bench, result, handed_in)
    place.ready.unlink()
    place.metadata.unlink()
    shutil.rmtree(bench.spool.layout.cameras)
    bench.spool.layout.cameras.mkdir()


def hold_to_what_was_handed_in(bench: Bench, result: RecoveryResult, handed_in: list[bytes]) -> None:
    """The file that is kept opens to the first fragments, whole, and its facts agree with its bytes."""
    sealed = result.place.ready.read_bytes()
    metadata = parse_journal(result.place.metadata.read_bytes())
    assert metadata is not None
    assert metadata.ending is not None
    assert metadata.ending.size_bytes == len(sealed)
    assert metadata.ending.sha256 == hashlib.sha256(sealed).digest()
    plain = bench.opened(sealed)
    found = [plain[f.offset : f.offset + f.size] for f in metadata.fragments]
    assert found == handed_in[: len(found)]
    if result.outcome is RecoveryOutcome.PUBLISHED:
        assert found == handed_in or (not found and metadata.index() is None)  # all is there: the boxes tell
    else:
        assert found
    assert result.span == Span(START_NS, metadata.ending.end_ns)
    if result.outcome is RecoveryOutcome.RECOVERED:
        assert metadata.ending.end_ns == metadata.fragments[-1].end_ns
    assert bench.spool.positions.load(bench.world.camera_id).end_ns == metadata.ending.end_ns


@pytest.mark.parametrize(
    "place", ["spool.recover.cut", "spool.recover.trailer", "spool.recover.metadata", "spool.recover.position"]
)
def test_mending_that_the_disk_refuses_is_postponed_and_says_what_it_will_be(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    segment = bench.begin()
    bench.feed(segment, [30_000] * 4)
    bench.spool.abandon(segment.file)
    with monkeypatch.context() as broken:
        break_at(broken, f"{place}=full")
        for _ in range(1 if place == "spool.recover.trailer" else 3):  # once signed it is whole
            postponed = bench.spool.recover(segment.file.place, bench.identity)
            assert postponed.outcome is RecoveryOutcome.POSTPONED
            assert bench.spool.adopt(postponed) is None
    assert bench.spool.accounted(bench.world.camera_id) == [postponed.span]
    result = bench.spool.recover(segment.file.place, bench.identity)
    assert result.outcome is RecoveryOutcome.RECOVERED
    assert result.span == postponed.span
    assert bench.spool.accounted(bench.world.camera_id) == []
    pending = bench.spool.adopt(result)
    assert pending is not None
    assert bench.opened(pending.place.ready.read_bytes())


def test_older_file_that_is_mended_late_does_not_set_the_mark_back(bench: Bench) -> None:
    old = bench.begin()
    bench.feed(old, [30_000] * 4)
    bench.spool.abandon(old.file)
    later = CameraPosition(trailer_sha256=b"\x07" * 32, end_ns=START_NS + 60 * NS)
    pending, _ = bench.whole(START_NS + 30 * NS)
    bench.spool.positions.save(bench.world.camera_id, later)
    assert bench.spool.recover(old.file.place, bench.identity).outcome is RecoveryOutcome.RECOVERED
    position = bench.spool.positions.load(bench.world.camera_id)
    assert position.end_ns == later.end_ns
    assert position.trailer_sha256 != later.trailer_sha256  # signed after the other: the chain goes on from it
    assert [item.place.start_ns for item in bench.spool.waiting()] == [START_NS, pending.place.start_ns]


def test_recorder_with_another_key_does_not_take_a_file_for_finished(bench: Bench) -> None:
    """It cannot vouch for the last chunk: what it signs is the full chunks."""
    segment = bench.begin()
    bench.feed(segment, [20_000] * 4)
    segment.finish(START_NS + 2 * NS, bench.identity, CameraPosition())
    bench.spool.abandon(segment.file)
    length = segment.file.place.part.stat().st_size
    result = bench.spool.recover(segment.file.place, RecorderIdentity.create(bytes(32)))
    assert result.outcome is RecoveryOutcome.RECOVERED
    assert result.place.ready.stat().st_size < length


def test_finished_file_that_rotted_before_it_was_published_is_cut_to_its_full_chunks(bench: Bench) -> None:
    segment = bench.begin()
    bench.feed(segment, [20_000] * 4)
    segment.finish(START_NS + 2 * NS, bench.identity, CameraPosition())
    bench.spool.abandon(segment.file)
    path = segment.file.place.part
    data = bytearray(path.read_bytes())
    data[-TRAILER_SIZE - 1] ^= 1
    path.write_bytes(data)
    result = bench.spool.recover(segment.file.place, bench.identity)
    assert result.outcome is RecoveryOutcome.RECOVERED
    assert bench.opened(result.place.ready.read_bytes())


@pytest.mark.parametrize("which", ["both", "part", "metadata"])
def test_bytes_of_another_segment_are_set_aside(bench: Bench, which: str) -> None:
    pending, sealed = bench.whole()
    segment = bench.begin(START_NS + 10 * NS)
    bench.feed(segment, [9000] * 8)
    bench.spool.abandon(segment.file)
    if which != "metadata":
        segment.file.place.part.write_bytes(sealed)
    if which != "part":
        segment.file.place.metadata.write_bytes(pending.place.metadata.read_bytes())
    assert bench.spool.recover(segment.file.place, bench.identity).outcome is RecoveryOutcome.DAMAGED


def test_facts_of_another_segment_are_not_believed_of_a_whole_one(bench: Bench) -> None:
    first, _ = bench.whole()
    second, _ = bench.whole(START_NS + 10 * NS)
    second.place.metadata.write_bytes(first.place.metadata.read_bytes())
    with pytest.raises(DamagedSpoolFileError):
        bench.spool.metadata_of(second)
