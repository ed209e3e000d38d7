"""Whatever somebody does to an object, a row or a chain, verify finds that one and no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.footage import FragmentIndex, Segment
from domain.time import Span
from runtime.settings import StoreSettings
from storage.sealed import HEADER_SIZE, TRAILER_SIZE
from storage.store import open_store
from tests.integration.storage.footage import Footage, turn
from tests.support.faults.faulty_proxy import Fault, faulty_proxy
from upkeep.inspection import Flaw
from upkeep.inspection.chain import BreakKind
from upkeep.verify import VerifyProgress, VerifyReport, verify

pytestmark = pytest.mark.services


async def verified(recorded: Footage, **more: Any) -> VerifyReport:
    values: dict[str, Any] = {"camera_ids": None, "span": recorded.span}
    return await verify(recorded.serve, recorded.stage.objects, recorded.stage.client, **(values | more))


async def test_untouched_footage_holds_and_is_counted(recorded: Footage) -> None:
    segments = await recorded.segments()
    steps: list[VerifyProgress] = []
    report = await verified(recorded, progress=steps.append)
    assert report.ok, report
    assert report.objects == len(segments) > 15
    assert report.bytes == sum(item.size_bytes for item in segments)
    assert report.frames == sum(item.frames for item in segments)
    assert report.fragments == sum(len(item.fragments.offset) for item in segments if item.fragments)
    assert report.recovered == sum(item.recovered for item in segments) > 0
    assert report.cameras == 2
    assert report.breaks == []
    assert steps[-1].objects == steps[-1].objects_in_all == len(segments)
    assert steps[-1].bytes == steps[-1].bytes_in_all
    trail = await recorded.stage.owner.fetch("SELECT actor, detail FROM audit_entry WHERE action = 'verify'")
    assert sum(json.loads(row["detail"])["segments"] for row in trail) == len(segments)


async def test_span_and_cameras_narrow_what_is_read(recorded: Footage) -> None:
    segments = await recorded.segments()
    camera = segments[0].camera_id
    mine = [item for item in segments if item.camera_id == camera]
    assert (await verified(recorded, camera_ids=[camera])).objects == len(mine)
    middle = mine[len(mine) // 2]
    report = await verified(recorded, camera_ids=[camera], span=Span(middle.span.start_ns, middle.span.end_ns))
    assert report.ok, report  # the chain is followed from before the span
    assert report.objects == 1
    assert (await verified(recorded, span=Span(0, 1))).objects == 0
    # A row without its fragment index is as the first rebuilds left it: nothing wrong with that.
    await recorded.stage.owner.execute(
        "UPDATE segment SET fragment_start_ms = NULL, fragment_offset = NULL, fragment_size = NULL, fragment_key = NULL"
        " WHERE segment_id = $1",
        segments[0].segment_id,
    )
    assert (await verified(recorded)).ok


FLIPS = (
    (0, Flaw.HEADER),  # magic
    (8 * 20, Flaw.UNSIGNED),  # inside the core
    (8 * (HEADER_SIZE - 1), Flaw.HASH),  # the wrap: not in the signature, but in the hash
    (8 * 5000, Flaw.CHUNK),
    (-8 * TRAILER_SIZE - 1, Flaw.CHUNK),  # the last chunk's tag
    (-8 * TRAILER_SIZE, Flaw.TRAILER),
    (-8 * 100, Flaw.UNSIGNED),
    (-1, Flaw.UNSIGNED),
)


async def test_flipped_bits_are_found(recorded: Footage) -> None:
    large = [item for item in await recorded.segments() if not item.recovered and item.size_bytes > 20_000]
    assert len(large) > len(FLIPS)
    expected = {}
    for segment, (bit, flaw) in zip(large, FLIPS, strict=False):
        data = await recorded.overwrite(segment, turn(bit if bit >= 0 else segment.size_bytes * 8 + bit))
        assert len(data) == segment.size_bytes
        expected[segment.segment_id] = flaw
    report = await verified(recorded)
    assert {item.segment_id: item.flaw for item in report.bad} == expected


async def test_truncated_longer_missing_and_swapped_objects_are_found(recorded: Footage) -> None:
    first, second, third, fourth, fifth, *_ = await recorded.segments()
    await recorded.overwrite(first, lambda data: data[:-1])
    await recorded.overwrite(second, lambda data: data + b"x")
    await recorded.delete(third)
    other = await recorded.data(fifth)
    await recorded.overwrite(fourth, lambda data: bytearray(other))
    report = await verified(recorded)
    found = {item.segment_id: item.flaw for item in report.bad}
    assert found[first.segment_id] is Flaw.SIZE
    assert found[second.segment_id] is Flaw.SIZE
    assert found[third.segment_id] is Flaw.MISSING
    assert found[fourth.segment_id] in (Flaw.SIZE, Flaw.CHUNK)
    assert report.bad_count == 4


async def test_row_made_to_fit_another_genuine_object_is_found(recorded: Footage) -> None:
    first, second, *_ = await recorded.segments()
    other = await recorded.data(second)
    await recorded.overwrite(first, lambda data: bytearray(other))
    for column, value in (("size_bytes", len(other)), ("sha256", second.sha256), ("header", second.header)):
        await recorded.change(first, column, value)
    report = await verified(recorded)
    assert [item.segment_id for item in report.bad] == [first.segment_id]


async def test_changed_rows_are_found(recorded: Footage) -> None:
    whole = iter([item for item in await recorded.segments() if not item.recovered])
    changes: dict[str, Callable[[Segment], Any]] = {
        "end_ns": lambda item: item.span.end_ns + 1,
        "frames": lambda item: item.frames + 1,
        "init_size": lambda item: item.init_size + 1,
        "width": lambda item: item.codec.width + 1,
        "mime": lambda item: "avc1.000000",
        "recovered": lambda item: True,
        "fragment_offset": lambda item: [at + 1 for at in index_of(item).offset],
        "fragment_key": lambda item: [not key for key in index_of(item).key],
        "header": lambda item: bytes(210),
        "sha256": lambda item: bytes(32),
        "size_bytes": lambda item: item.size_bytes + 1,
    }
    expected = {}
    for column, value in changes.items():
        segment = next(whole)
        await recorded.change(segment, column, value(segment))
        expected[segment.segment_id] = {"sha256": Flaw.HASH, "size_bytes": Flaw.SIZE}.get(column, Flaw.ROW)
    report = await verified(recorded)
    assert {item.segment_id: item.flaw for item in report.bad} == expected


def index_of(segment: Segment) -> FragmentIndex:
    assert segment.fragments is not None
    return segment.fragments


async def test_dead_key_is_told_and_the_rest_of_the_object_still_checked(recorded: Footage) -> None:
    segments = await recorded.segments()
    await recorded.stage.owner.execute(
        "UPDATE hour_key SET state = 'dead' WHERE hour_key_id = $1", segments[0].hour_key_id
    )
    mine = {item.segment_id for item in segments if item.hour_key_id == segments[0].hour_key_id}
    flipped = next(item for item in segments if item.segment_id in mine)
    await recorded.overwrite(flipped, turn(8 * 3000))
    report = await verified(recorded)
    assert {item.segment_id: item.flaw for item in report.bad} == {
        item: Flaw.HASH if item == flipped.segment_id else Flaw.KEY for item in mine
    }


async def test_recorder_that_is_not_enrolled_or_was_revoked_is_found(recorded: Footage) -> None:
    segments = await recorded.segments()
    await recorded.stage.owner.execute("UPDATE recorder SET revoked_ns = $1", segments[5].span.end_ns)
    report = await verified(recorded)
    assert {item.segment_id for item in report.bad} == {
        item.segment_id for item in segments if item.span.end_ns > segments[5].span.end_ns
    }
    assert {item.flaw for item in report.bad} == {Flaw.UNSIGNED}


async def test_segment_that_vanished_with_its_row_leaves_a_break(recorded: Footage) -> None:
    segments = await recorded.segments()
    mine = [item for item in segments if item.camera_id == segments[0].camera_id]
    gone, after = mine[4], mine[5]
    await recorded.delete(gone)
    await recorded.stage.owner.execute("DELETE FROM segment WHERE segment_id = $1", gone.segment_id)
    report = await verified(recorded)
    assert report.bad == []
    assert [(item.found.segment_id, item.found.kind, item.gap) for item in report.breaks] == [
        (after.segment_id, BreakKind.LOST, None)
    ]
    assert report.unexplained_breaks == 1
    assert not report.ok
    await recorded.stage.owner.execute(
        "INSERT INTO gap VALUES ($1, $2, $3, 'spool_full', 'dropped')",
        gone.camera_id,
        after.span.start_ns - 1,
        after.span.start_ns,
    )
    report = await verified(recorded)
    assert [item.gap for item in report.breaks] == ["spool_full"]
    assert report.ok


async def test_oldest_segment_need_not_follow_one_whose_retention_is_over(recorded: Footage) -> None:
    segments = await recorded.segments()
    for camera in {item.camera_id for item in segments}:
        oldest = next(item for item in segments if item.camera_id == camera)
        await recorded.delete(oldest)
        await recorded.stage.owner.execute("DELETE FROM segment WHERE segment_id = $1", oldest.segment_id)
    report = await verified(recorded)
    assert report.ok, report


async def test_store_that_stumbles_is_waited_out(recorded: Footage, store: StoreSettings) -> None:
    async with (
        faulty_proxy(store.endpoint) as proxy,
        open_store(replace(store, endpoint=proxy.endpoint)) as objects,
    ):
        proxy.faults.extend([Fault.PASS] * 5 + [Fault.BUSY, Fault.RESET, Fault.CUT_REPLY])
        report = await verify(recorded.serve, objects, recorded.stage.client, camera_ids=None, span=recorded.span)
    assert report.ok, report


async def test_memory_does_not_grow_with_the_objects(recorded: Footage) -> None:
    """Pieces of a quarter of a mebibyte: nothing holds a whole object."""
    largest = 0
    original = recorded.stage.objects.get_range

    class Watching:
        def __getattr__(self, name: str) -> Any:
            return getattr(recorded.stage.objects, name)

        async def get_range(self, name: str, start: int, end: int) -> bytes:
            nonlocal largest
            largest = max(largest, end - start)
            return await original(name, start, end)

    report = await verify(recorded.serve, Watching(), recorded.stage.client, camera_ids=None, span=recorded.span)  # type: ignore[arg-type]
    assert report.ok
    assert largest <= (1 << 18) + 16
