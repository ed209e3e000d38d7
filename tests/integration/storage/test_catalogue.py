"""The catalogue: the plans that matter over 100,000 rows, and committing from many sides at once."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
import pytest

from domain.footage import Codec, FragmentIndex, Gap, GapCause, Segment, SegmentState
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import DAY_NS, MINUTE_NS, NS, Span
from runtime import sql
from runtime.database import connect, open_pool
from runtime.errors import DatabaseError
from storage.catalogue import Catalogue, Commit
from storage.catalogue.errors import SegmentConflictError
from tests.conftest import Database

pytestmark = pytest.mark.services

T = 20_500 * DAY_NS
DAYS, CAMERAS = 6, 2
GENERATE = """
    INSERT INTO segment
    SELECT gen_random_uuid(), $3, camera, $3, $3, at, at + 10000000000, 5000000, sha256(int8send(at)),
        decode(repeat('00', 210), 'hex'), 'h264', 'avc1.640028', 1920, 1080, 700, 250, false, 1,
        CASE WHEN at % 1000000000000 = 0 THEN 'shadow' ELSE 'live' END,
        ARRAY[0, 500], ARRAY[700, 250700], ARRAY[250000, 250000], ARRAY[true, false], at
    FROM unnest($1::uuid[]) AS camera, generate_series($2::bigint, $2::bigint + 518390000000000, 10000000000) AS at
"""


@dataclass
class Plan:
    """What an EXPLAIN (ANALYZE, BUFFERS) says was really touched."""

    nodes: list[str] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)
    indexes: set[str] = field(default_factory=set)
    rows_read: int = 0
    buffers: int = 0

    @property
    def days(self) -> set[str]:
        return {name for name in self.tables if name.startswith("segment_2")}


async def explained(conn: asyncpg.Connection, package: str, name: str, *arguments: Any) -> Plan:
    text = await conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql.load(package, name)}", *arguments)
    (top,) = json.loads(text)
    plan = Plan(buffers=top["Plan"]["Shared Hit Blocks"] + top["Plan"]["Shared Read Blocks"])
    for node in _nodes(top["Plan"]):
        if node["Actual Loops"] == 0:
            continue
        plan.nodes.append(node["Node Type"])
        plan.tables |= {node["Relation Name"]} if "Relation Name" in node else set()
        plan.indexes |= {node["Index Name"]} if "Index Name" in node else set()
        if "Relation Name" in node:
            lost = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
            plan.rows_read += round((node["Actual Rows"] + lost) * node["Actual Loops"])
    return plan


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _nodes(child)


@dataclass(frozen=True)
class Filled:
    owner: asyncpg.Connection
    cameras: list[CameraId]
    rows: int


@pytest.fixture
async def filled(database: Database) -> Any:
    owner = await connect(database.owner, statement_timeout_s=0)
    try:
        cameras = [CameraId(uuid.uuid4()) for _ in range(CAMERAS)]
        for day in range(DAYS):
            await owner.execute("SELECT ensure_segment_day($1)", T + day * DAY_NS)
        await owner.execute(GENERATE, cameras, T, uuid.uuid4())
        await owner.execute("INSERT INTO segment_identity SELECT segment_id, start_ns FROM segment")
        await owner.execute(
            "INSERT INTO gap SELECT camera, at, at + 1000000000, 'loss', ''"
            " FROM unnest($1::uuid[]) AS camera,"
            " generate_series($2::bigint, $2::bigint + 518390000000000, 60000000000) AS at",
            cameras,
            T,
        )
        await owner.execute("VACUUM ANALYZE segment, segment_identity, gap")
        rows = await owner.fetchval("SELECT count(*) FROM segment")
        assert rows > 100_000
        yield Filled(owner, cameras, rows)
    finally:
        await owner.close()


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_overlap_search_reads_one_day_by_index(filled: Filled, mode: str) -> None:
    await filled.owner.execute(f"SET plan_cache_mode = {mode}")
    start_ns = T + 2 * DAY_NS + DAY_NS // 2
    arguments = [filled.cameras[0]], start_ns, start_ns + 10 * MINUTE_NS
    plan = await explained(filled.owner, "storage.catalogue", "segments", *arguments)
    assert len(plan.days) == 1
    assert "Seq Scan" not in plan.nodes
    assert plan.indexes
    assert plan.rows_read <= 75  # 60 segments of the span, 12 of the look-back, shadows
    assert plan.buffers < 200
    found = await filled.owner.fetch(sql.load("storage.catalogue", "segments"), *arguments)
    assert 58 <= len(found) <= 61


async def test_overlap_search_over_midnight_reads_two_days(filled: Filled) -> None:
    midnight = T + 3 * DAY_NS
    for span, days in (
        ((midnight - MINUTE_NS, midnight + MINUTE_NS), 2),
        ((midnight, midnight + MINUTE_NS), 2),  # a segment from before midnight may reach into it
        ((midnight + 3 * MINUTE_NS, midnight + 4 * MINUTE_NS), 1),
    ):
        plan = await explained(filled.owner, "storage.catalogue", "segments", filled.cameras, *span)
        assert len(plan.days) == days
        assert "Seq Scan" not in plan.nodes


async def test_plan_reader_sees_a_search_that_is_not_pruned(filled: Filled) -> None:
    """Positive control: without the look-back's bound every earlier day is read."""
    query = sql.load("storage.catalogue", "segments").replace("start_ns > $2::bigint - 120000000000 AND", "")
    start_ns = T + 3 * DAY_NS
    text = await filled.owner.fetchval(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", filled.cameras, start_ns, start_ns + 1
    )
    touched = {
        node["Relation Name"]
        for node in _nodes(json.loads(text)[0]["Plan"])
        if "Relation Name" in node and node["Actual Loops"]
    }
    assert len(touched) >= 3


async def test_segment_by_id_reads_one_row_of_one_day(filled: Filled) -> None:
    row = await filled.owner.fetchrow("SELECT segment_id, start_ns FROM segment OFFSET 55555 LIMIT 1")
    plan = await explained(filled.owner, "storage.catalogue", "segment_start", row["segment_id"])
    assert plan.indexes == {"segment_identity_pkey"}
    plan = await explained(filled.owner, "storage.catalogue", "segment", row["segment_id"], row["start_ns"])
    assert len(plan.days) == 1
    assert (plan.rows_read, "Seq Scan" in plan.nodes) == (1, False)


async def test_other_lookups_read_by_index(filled: Filled) -> None:
    start_ns = T + 2 * DAY_NS + DAY_NS // 2
    camera = filled.cameras[0]
    some = [row["segment_id"] for row in await filled.owner.fetch("SELECT segment_id FROM segment LIMIT 50")]
    lookups: dict[str, tuple[str, tuple[Any, ...], int]] = {
        "gaps": ("storage.catalogue", ([camera], start_ns, start_ns + 10 * MINUTE_NS), 1600),
        "rows_of_objects": ("upkeep", (some,), 120),
        "gap_before": ("upkeep", (camera, start_ns), 1600),
    }
    for name, (package, arguments, most) in lookups.items():
        plan = await explained(filled.owner, package, name, *arguments)
        assert "Seq Scan" not in plan.nodes, name
        assert plan.rows_read <= most, (name, plan)
    day = await explained(filled.owner, "upkeep", "live_of_day", camera, T + DAY_NS)
    assert len(day.days) == 1  # half of that day's rows are wanted: how is the planner's choice
    page = (filled.cameras, start_ns, start_ns + DAY_NS, start_ns, uuid.UUID(int=0), 500)
    plan = await explained(filled.owner, "upkeep", "verify_page", *page)
    assert len(plan.days) <= 2
    assert plan.rows_read <= 2 * filled.rows // DAYS


async def test_commit_reads_little_however_much_there_is(filled: Filled) -> None:
    """commit_segment's own search, as it is written in the function, plans by index on one day."""
    query = (
        "SELECT max(epoch) FROM segment WHERE camera_id = $1 AND state = 'live'"
        " AND start_ns > $2::bigint - 120000000000 AND start_ns < $3::bigint AND end_ns > $2::bigint"
    )
    source = await filled.owner.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'commit_segment'")
    assert "start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns" in source
    start_ns = T + 4 * DAY_NS + 1000 * NS
    text = await filled.owner.fetchval(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", filled.cameras[0], start_ns, start_ns + 10 * NS
    )
    top = json.loads(text)[0]["Plan"]
    assert not [node for node in _nodes(top) if node["Node Type"] == "Seq Scan" and node["Actual Loops"]]
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 60


# -- Committing


def segment(
    camera_id: CameraId, start_s: float, end_s: float, *, epoch: int = 1, site_id: SiteId | None = None
) -> Segment:
    return Segment(
        segment_id=SegmentId(uuid.uuid4()),
        site_id=site_id or SiteId(uuid.uuid4()),
        camera_id=camera_id,
        recorder_id=RecorderId(uuid.uuid4()),
        hour_key_id=HourKeyId(uuid.uuid4()),
        span=Span(T + round(start_s * NS), T + round(end_s * NS)),
        size_bytes=1000,
        sha256=os.urandom(32),
        header=os.urandom(210),
        codec=Codec(name="h264", mime="avc1.64001f", width=640, height=360),
        init_size=700,
        frames=250,
        recovered=False,
        fragments=FragmentIndex(start_ms=(0, 500), offset=(700, 1000), size=(300, 200), key=(True, False)),
        epoch=epoch,
    )


async def test_row_comes_back_as_it_was_committed(database: Database) -> None:
    camera = CameraId(uuid.uuid4())
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        whole = segment(camera, 0, 10)
        bare = replace(segment(camera, 10, 20), fragments=None, recovered=True, epoch=7)
        for item in (whole, bare):
            assert await catalogue.commit_segment(item) is Commit.LIVE
            assert await catalogue.segment(item.segment_id) == item
        assert await catalogue.segments([camera], Span(T, T + 20 * NS)) == [whole, bare]
        assert await catalogue.segments([camera], Span(T + 20 * NS, T + 30 * NS)) == []
        assert await catalogue.segments([CameraId(uuid.uuid4())], Span(T, T + 20 * NS)) == []
        assert await catalogue.segment(SegmentId(uuid.uuid4())) is None


async def test_first_segments_of_a_day_from_many_sides_at_once_make_it_once(database: Database) -> None:
    camera = CameraId(uuid.uuid4())
    async with open_pool(database.ingest, application_name="test", min_size=8, max_size=8) as pool:
        for day in range(25):
            at_s = day * 86_400
            work = [segment(camera, at_s + n * 10, at_s + n * 10 + 10) for n in range(8)]
            # A catalogue each, as in recorders of their own: nobody knows yet that the day exists.
            outcomes = await asyncio.gather(*(Catalogue(pool).commit_segment(item) for item in work))
            assert outcomes == [Commit.LIVE] * 8


async def test_segment_longer_than_the_look_back_is_refused(database: Database) -> None:
    camera = CameraId(uuid.uuid4())
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        assert await catalogue.commit_segment(segment(camera, 0, 120)) is Commit.LIVE
        for bad in (segment(camera, 200, 320.000000001), segment(camera, 400, 400)):
            with pytest.raises(DatabaseError):
                await catalogue.commit_segment(bad)
        (found,) = await catalogue.segments([camera], Span(T + 119 * NS, T + 120 * NS))
        assert found.span.duration_ns == 120 * NS


async def test_gaps_are_committed_once_cut_at_midnight_and_joined_again(database: Database) -> None:
    camera = CameraId(uuid.uuid4())
    long = Gap(camera_id=camera, span=Span(T + 5 * NS, T + 3 * DAY_NS + 7), cause=GapCause.UNREACHABLE, detail="why")
    short = Gap(camera_id=camera, span=Span(T + 4 * DAY_NS, T + 4 * DAY_NS + 1), cause=GapCause.LOSS)
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        await catalogue.commit_gaps([long, short])
        await catalogue.commit_gaps([short, long])
        await catalogue.commit_gaps([])
        assert await catalogue.gaps([camera], Span(T, T + 5 * DAY_NS)) == [long, short]
        (piece,) = await catalogue.gaps([camera], Span(T + DAY_NS + 1, T + DAY_NS + 2))
        assert piece.span == Span(T + DAY_NS, T + 2 * DAY_NS)


async def tiles(
    catalogue: Catalogue, camera: CameraId, *, holes: int = 0
) -> tuple[list[Span], list[tuple[Span, GapCause]]]:
    """Footage and gaps of a camera, without an overlap, and without a hole but for as many as are said."""
    everything = Span(T - DAY_NS, T + 5 * DAY_NS)
    footage = [item.span for item in await catalogue.segments([camera], everything)]
    gaps = [(gap.span, gap.cause) for gap in await catalogue.gaps([camera], everything)]
    pairs = list(itertools.pairwise(sorted([*footage, *(span for span, _ in gaps)])))
    assert all(before.end_ns <= after.start_ns for before, after in pairs)
    assert sum(before.end_ns < after.start_ns for before, after in pairs) == holes
    return footage, gaps


def seconds(start_s: float, end_s: float) -> Span:
    return Span(T + round(start_s * NS), T + round(end_s * NS))


@pytest.mark.parametrize(
    ("gap", "left"),
    [((0, 100), [(0, 40), (60, 100)]), ((40, 60), []), ((50, 100), [(60, 100)]), ((0, 50), [(0, 40)]), ((41, 59), [])],
)
async def test_footage_takes_the_place_of_gaps(
    database: Database, gap: tuple[int, int], left: list[tuple[int, int]]
) -> None:
    camera = CameraId(uuid.uuid4())
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        known = Gap(camera_id=camera, span=seconds(*gap), cause=GapCause.LOSS, detail="why")
        await catalogue.commit_gaps([known])
        assert await catalogue.commit_segment(segment(camera, 40, 60)) is Commit.LIVE
        assert await catalogue.gaps([camera], seconds(-100, 200)) == [
            replace(known, span=seconds(*span)) for span in left
        ]


@pytest.mark.parametrize("order", ["as it was", "the last first", "misfiled last"])
async def test_what_was_filed_ahead_of_time_becomes_a_shadow_and_the_time_is_footage_again(
    database: Database, order: str
) -> None:
    """A clock goes an hour ahead for twenty seconds and comes back; rows come in any order."""
    camera, recorder = CameraId(uuid.uuid4()), RecorderId(uuid.uuid4())

    def made(start_s: float, end_s: float, epoch: int) -> Segment:
        return replace(segment(camera, start_s, end_s, epoch=epoch), recorder_id=recorder)

    before = [made(at, at + 10, 1) for at in (0, 10)]
    ahead = [made(3600 + at, 3600 + at + 10, 2) for at in (20, 30)]
    again = [made(at, at + 10, 3) for at in (40, 50, 60)]
    gap = Gap(camera_id=camera, span=seconds(20, 3620), cause=GapCause.CLOCK)
    work = {
        "as it was": [*before, *ahead, *again],
        "the last first": [*again[::-1], *ahead[::-1], *before[::-1]],
        "misfiled last": [*before, *again, *ahead],
    }[order]
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        for number, item in enumerate(work):
            await catalogue.commit_segment(item)
            if number == 3:
                await catalogue.commit_gaps([gap])
        footage, gaps = await tiles(catalogue, camera)
        assert footage == [item.span for item in [*before, *again]]
        assert gaps[0] == (seconds(20, 40), GapCause.CLOCK)
        for item in ahead:
            found = await catalogue.segment(item.segment_id)
            assert found is not None
            assert found.state is SegmentState.SHADOW
        assert await catalogue.commit_segment(ahead[0]) is Commit.DUPLICATE
        for at in range(70, 3700, 90):  # time goes on until it is there again
            assert await catalogue.commit_segment(made(at, at + 90, 3)) is Commit.LIVE
        footage, gaps = await tiles(catalogue, camera)
        assert gaps == [(seconds(20, 40), GapCause.CLOCK)]


async def test_clock_that_is_wrong_for_a_moment_hides_no_more_than_that(database: Database) -> None:
    """It goes an hour back for ten seconds: an hour of footage stays, but for the two rows that show that time."""
    camera, recorder = CameraId(uuid.uuid4()), RecorderId(uuid.uuid4())

    def made(start_s: float, epoch: int) -> Segment:
        return replace(segment(camera, start_s, start_s + 10, epoch=epoch), recorder_id=recorder)

    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        for item in [*(made(at, 1) for at in range(0, 3600, 10)), made(5, 2), made(3610, 3)]:
            assert await catalogue.commit_segment(item) is Commit.LIVE
        footage, _ = await tiles(catalogue, camera, holes=1)
        assert [span for span in footage if span.start_ns % (10 * NS)] == [seconds(5, 15)]
        assert len(footage) == 360 - 2 + 2


async def test_other_recorders_rows_behind_a_new_epoch_stay(database: Database) -> None:
    """What was imported, or recorded by another one, was not filed by the clock that was set back."""
    camera, recorder = CameraId(uuid.uuid4()), RecorderId(uuid.uuid4())
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        imported = segment(camera, 100, 110, epoch=0)
        await catalogue.commit_segment(imported)
        for epoch, start_s in ((1, 0), (2, 10)):
            await catalogue.commit_segment(
                replace(segment(camera, start_s, start_s + 10, epoch=epoch), recorder_id=recorder)
            )
        found = await catalogue.segment(imported.segment_id)
        assert found is not None
        assert found.state is SegmentState.LIVE


async def test_a_shadow_leaves_no_hole(database: Database) -> None:
    camera = CameraId(uuid.uuid4())
    async with open_pool(database.ingest, application_name="test") as pool:
        catalogue = Catalogue(pool)
        await catalogue.commit_segment(segment(camera, 0, 10))
        await catalogue.commit_segment(segment(camera, 5, 15, epoch=2))
        assert await tiles(catalogue, camera) == ([seconds(5, 15)], [(seconds(0, 5), GapCause.CLOCK)])
        assert await catalogue.commit_segment(segment(camera, 12, 20)) is Commit.SHADOW
        assert await tiles(catalogue, camera) == (
            [seconds(5, 15)],
            [(seconds(0, 5), GapCause.CLOCK), (seconds(15, 20), GapCause.CLOCK)],
        )


@pytest.mark.parametrize("seed", range(12))
async def test_commits_from_many_sides_keep_every_promise(database: Database, seed: int) -> None:
    """Recorders with different leases, replies lost, ids reused: whatever the order, the rows make sense."""
    dice = random.Random(seed)
    cameras = [CameraId(uuid.uuid4()) for _ in range(2)]
    offered: list[Segment] = []
    for _ in range(60):
        camera, start_s = dice.choice(cameras), dice.randrange(0, 300) / 2
        epoch = dice.choice((1, 1, 1, 2, 2, 3))
        offered.append(segment(camera, start_s, start_s + dice.choice((0.5, 5, 10, 30, 120)), epoch=epoch))
    again = [dice.choice(offered) for _ in range(20)]
    changed = [replace(dice.choice(offered), sha256=os.urandom(32)) for _ in range(6)]
    work = [*offered, *again, *changed]
    dice.shuffle(work)
    outcomes: list[tuple[Segment, Commit | None]] = []

    async with open_pool(database.ingest, application_name="test", max_size=6) as pool:

        async def committer(items: Sequence[Segment]) -> None:
            catalogue = Catalogue(pool)
            for item in items:
                try:
                    outcomes.append((item, await catalogue.commit_segment(item)))
                except SegmentConflictError:
                    outcomes.append((item, None))

        await asyncio.gather(*(committer(work[number::6]) for number in range(6)))

    owner = await connect(database.owner)
    try:
        rows = {row["segment_id"]: row for row in await owner.fetch("SELECT * FROM segment")}
        identities = await owner.fetchval("SELECT count(*) FROM segment_identity")
        told = {row["ref"] for row in await owner.fetch("SELECT ref FROM outbox WHERE kind = 'segment'")}
    finally:
        await owner.close()
    assert len(rows) == identities == len(offered)
    check_outcomes(outcomes, rows, told)
    for camera in cameras:
        check_camera([row for row in rows.values() if row["camera_id"] == camera])


def check_outcomes(
    outcomes: list[tuple[Segment, Commit | None]], rows: dict[uuid.UUID, asyncpg.Record], told: set[uuid.UUID]
) -> None:
    first: dict[uuid.UUID, list[Commit]] = {}
    for item, outcome in outcomes:
        kept = rows[item.segment_id]["sha256"] == item.sha256
        assert (outcome is None) == (not kept)  # the first to come is kept; with other contents nobody is content
        if outcome is not None:
            first.setdefault(item.segment_id, []).append(outcome)
    for segment_id, found in first.items():
        assert len([item for item in found if item is not Commit.DUPLICATE]) == 1
        was_live = Commit.LIVE in found
        is_live = rows[segment_id]["state"] == SegmentState.LIVE
        assert was_live or not is_live  # nothing comes back from the shadows by itself
        assert (segment_id in told) == was_live  # the indexer hears of all that were ever live


def check_camera(rows: list[asyncpg.Record]) -> None:
    live = sorted((row["start_ns"], row["end_ns"]) for row in rows if row["state"] == "live")
    for before, after in itertools.pairwise(live):
        assert before[1] <= after[0], "live segments overlap"
    for row in rows:
        rivals = [
            other
            for other in rows
            if other is not row and other["start_ns"] < row["end_ns"] and row["start_ns"] < other["end_ns"]
        ]
        if row["state"] == "shadow":
            assert any(other["epoch"] >= row["epoch"] for other in rivals), "hidden behind nobody"
        else:
            assert not any(other["epoch"] > row["epoch"] and other["state"] == "live" for other in rivals)
        if all(other["epoch"] < row["epoch"] for other in rivals):
            assert row["state"] == "live", "the highest epoch does not win"


def test_camera_check_finds_overlaps() -> None:
    """Positive control."""
    rows = [
        {"start_ns": 0, "end_ns": 10, "epoch": 1, "state": "live"},
        {"start_ns": 9, "end_ns": 20, "epoch": 1, "state": "live"},
    ]
    with pytest.raises(AssertionError):
        check_camera(rows)  # type: ignore[arg-type]
    rows[1] |= {"state": "shadow", "epoch": 2}
    with pytest.raises(AssertionError):
        check_camera(rows)  # type: ignore[arg-type]
