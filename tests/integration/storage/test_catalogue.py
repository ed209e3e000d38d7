"""The catalogue: the plans that matter over 100,000 rows, and committing from many sides at once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from domain.ids import CameraId
from domain.time import DAY_NS, MINUTE_NS, NS
from runtime import sql
from runtime.database import connect
from tests.conftest import Database
from tests.support.footage.catalogue_times import T

pytestmark = pytest.mark.services

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
        "accounted_until": ("storage.catalogue", ([camera], [start_ns]), 1700),
        "accounted_spans": ("storage.catalogue", ([camera], [start_ns - 10 * MINUTE_NS], [start_ns]), 1700),
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
        "SELECT FROM segment WHERE camera_id = $1 AND state IN ('live', 'contested')"
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
