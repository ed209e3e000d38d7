"""The catalogue's questions over many rows, and what the planner makes of them."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import asyncpg

from benchmarks.frame.stand import SITE_ID, Stand
from benchmarks.frame.statistics import percentile
from benchmarks.load.rows import generate_rows
from domain.footage import Codec, Segment
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, new_id
from domain.time import HOUR_NS, NS, Span
from runtime import sql
from runtime.database import connect, open_pool
from storage.catalogue import Catalogue

_CODEC = Codec(name="h264", mime="avc1.640028", width=1920, height=1080)


async def measure(stand: Stand, rows: int, calls: int, seed: int) -> list[dict[str, Any]]:
    """One case per question. Rows are made first; those of an earlier call stay, of other days."""
    owner = await connect(stand.owner, statement_timeout_s=0)
    try:
        await owner.execute("TRUNCATE segment, segment_identity, outbox")
        began = time.perf_counter()
        span = await generate_rows(owner, stand.cameras, rows, time.time_ns() - HOUR_NS)
        made_s = time.perf_counter() - began
        size = await owner.fetchval(
            "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('segment'::regclass)"
        )
        plan = await _plan(owner, stand.cameras[0], span)
        async with open_pool(stand.database("ingest"), application_name="bench", max_size=1) as pool:
            cases = await _questions(Catalogue(pool), stand.cameras, span, calls, random.Random(seed))
    finally:
        await owner.close()
    facts = {"rows": rows, "calls": calls}
    generated = {"name": f"rows made, {rows:,}", "rows": rows, "s": made_s, "mib": int(size) / 2**20}
    return [generated, *({**case, **facts, "name": f"{case['name']}, {rows:,} rows"} for case in cases), plan]


async def _questions(
    catalogue: Catalogue, cameras: Sequence[CameraId], span: Span, calls: int, dice: random.Random
) -> list[dict[str, Any]]:
    def at(length_ns: int) -> Span:
        start = dice.randrange(span.start_ns, max(span.start_ns + 1, span.end_ns - length_ns))
        return Span(start, start + length_ns)

    known = await catalogue.segments([cameras[0]], Span(span.start_ns, span.start_ns + HOUR_NS))
    fresh = (_segment(cameras[0], span.end_ns + number * 10 * NS) for number in range(10 * calls + 10))
    return [
        await _ask("clip of 30 s", calls, lambda: catalogue.segments([dice.choice(cameras)], at(30 * NS))),
        await _ask("one camera's hour", calls, lambda: catalogue.segments([dice.choice(cameras)], at(HOUR_NS))),
        await _ask("16 cameras' minute", calls, lambda: catalogue.segments(dice.sample(cameras, 16), at(60 * NS))),
        await _ask("segment by id", calls, lambda: catalogue.segment(dice.choice(known).segment_id)),
        await _ask("commit of a segment", calls, lambda: catalogue.commit_segment(next(fresh))),
    ]


async def _ask(name: str, calls: int, call: Callable[[], Awaitable[object]]) -> dict[str, Any]:
    took = []
    for number in range(calls + 5):
        began = time.perf_counter()
        await call()
        if number >= 5:
            took.append((time.perf_counter() - began) * 1e3)
    return {"name": name, "query_p50_ms": percentile(took, 50), "query_p99_ms": percentile(took, 99)}


async def _plan(owner: asyncpg.Connection, camera: CameraId, span: Span) -> dict[str, Any]:
    """What a clip's question reads: partitions, buffers."""
    partitions = await owner.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'segment'::regclass")
    at = (span.start_ns + span.end_ns) // 2
    query = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql.load("storage.catalogue", "segments")
    explained = json.loads(await owner.fetchval(query, [camera], at, at + 30 * NS))[0]["Plan"]
    scanned = sorted({node["Relation Name"] for node in _nodes(explained) if "Relation Name" in node})
    return {
        "name": f"plan of a clip of 30 s, {partitions} partitions",
        "partitions": partitions,
        "partitions_read": len(scanned),
        "buffers": explained["Shared Hit Blocks"] + explained["Shared Read Blocks"],
        "nodes": [node["Node Type"] for node in _nodes(explained)],
    }


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", []) for node in _nodes(part))]


def _segment(camera: CameraId, start_ns: int) -> Segment:
    made = Segment(
        segment_id=SegmentId(new_id()),
        site_id=SITE_ID,
        camera_id=camera,
        recorder_id=RecorderId(SITE_ID),
        hour_key_id=HourKeyId(SITE_ID),
        span=Span(start_ns, start_ns + 10 * NS),
        size_bytes=5_000_000,
        sha256=bytes(32),
        header=bytes(210),
        codec=_CODEC,
        init_size=700,
        frames=250,
        recovered=False,
        fragments=None,
    )
    return replace(made, sha256=made.segment_id.bytes * 2)
