"""What the tags must be: every event in force against every live segment, by the definition and nothing else."""

from __future__ import annotations

from typing import Any

import asyncpg


def brute_force_join(events: list[Any], segments: list[Any], mappings: list[Any]) -> set[tuple[Any, ...]]:
    """(event, segment, camera, start, end, uncertain) for all that overlap."""
    return {
        (e["event_id"], s["segment_id"], m["camera_id"], t - m["before_ns"], t + m["after_ns"], e["uncertain"])
        for e in events
        for t in (e["occurred_ns"],)
        for m in mappings
        if m["door_id"] == e["door_id"] and m["valid_from_ns"] <= t < m["valid_to_ns"]
        for s in segments
        if s["camera_id"] == m["camera_id"] and t - m["before_ns"] < s["end_ns"] and s["start_ns"] < t + m["after_ns"]
    }


async def expected_tags(owner: asyncpg.Connection) -> set[tuple[Any, ...]]:
    """Of everything in the database."""
    return brute_force_join(
        await owner.fetch("SELECT * FROM access_event WHERE superseded_by IS NULL"),
        await owner.fetch("SELECT * FROM segment WHERE state = 'live'"),
        await owner.fetch("SELECT * FROM door_camera"),
    )


async def tags_in_force(owner: asyncpg.Connection) -> set[tuple[Any, ...]]:
    """As the tagger left them."""
    rows = await owner.fetch(
        "SELECT event_id, segment_id, camera_id, start_ns, end_ns, uncertain FROM tag WHERE superseded_ns IS NULL"
    )
    return {tuple(row) for row in rows}
