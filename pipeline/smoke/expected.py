"""Computes the expected tags independently: from what the doors sent, and the rows of segments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from domain.time import NS, Span
from storage.catalogue.inventory import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An event that a simulated door has sent and the broker has taken."""

    source_id: str
    door: str  # external id
    occurred_ns: int
    kind: str
    credential: str


def read_sent(path: Path) -> list[Sent]:
    """The doors' own file."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text().splitlines():
        body = json.loads(line)
        found.append(
            Sent(
                source_id=body["event_id"],
                door=body["door"],
                occurred_ns=body["occurred_ns"],
                kind=body["kind"],
                credential=body["credential"],
            )
        )
    return found


def read_skipped(path: Path, camera: int, span: Span, fps: float) -> int:
    """How many pictures of the span the simulated camera did not make, since the machine was too slow: its own file."""
    if not path.exists():
        return 0
    count = 0
    for line in path.read_text().splitlines():
        body = json.loads(line)
        if body["camera"] == camera:
            times = (body["at_ns"] - round(back * NS / fps) for back in range(body["pictures"]))
            count += sum(span.start_ns < at_ns < span.end_ns for at_ns in times)
    return count


async def segment_rows(conn: asyncpg.Connection) -> list[tuple[UUID, UUID, int, int, int]]:
    """(segment, camera, start, end, frames) of everything live, by camera and time."""
    rows = await conn.fetch(
        "SELECT segment_id, camera_id, start_ns, end_ns, frames FROM segment WHERE state = 'live'"
        " ORDER BY camera_id, start_ns"
    )
    return [tuple(row) for row in rows]


async def tag_rows(conn: asyncpg.Connection) -> set[tuple[int, UUID, UUID]]:
    """(when, door, segment) of every tag in force."""
    rows = await conn.fetch(
        "SELECT e.occurred_ns, e.door_id, t.segment_id FROM tag t JOIN access_event e USING (event_id)"
        " WHERE t.superseded_ns IS NULL"
    )
    return {tuple(row) for row in rows}


def brute_force(
    sent: Sequence[Sent],
    segments: Sequence[tuple[UUID, UUID, int, int, int]],
    inventory: Inventory,
    known_credentials: set[str],
) -> set[tuple[int, UUID, UUID]]:
    """Every event against every segment of every camera of its door. Unknown credentials make no event."""
    doors: Mapping[str, UUID] = {door.external_id: door.door_id for door in inventory.doors}
    expected: set[tuple[int, UUID, UUID]] = set()
    for event in sent:
        if event.credential and event.credential not in known_credentials:
            continue
        for mapping in inventory.mappings:
            if mapping.door_id != doors[event.door]:
                continue
            window = Span(event.occurred_ns - mapping.before_ns, event.occurred_ns + mapping.after_ns)
            for segment_id, camera_id, start_ns, end_ns, _ in segments:
                if camera_id == mapping.camera_id and Span(start_ns, end_ns).overlaps(window):
                    expected.add((event.occurred_ns, mapping.door_id, segment_id))
    return expected


async def untiled(conn: asyncpg.Connection) -> list[str]:
    """Holes and overlaps: each camera's segments and gaps must tile its time from the first to the last of them."""
    rows = await conn.fetch(
        "SELECT camera_id, start_ns, end_ns, 'segment' AS what FROM segment WHERE state = 'live'"
        " UNION ALL SELECT camera_id, start_ns, end_ns, 'gap' FROM gap ORDER BY 1, 2, 3"
    )
    found = []
    until: dict[UUID, int] = {}
    for row in rows:
        end_ns = until.get(row["camera_id"], row["start_ns"])
        if row["start_ns"] != end_ns:
            kind = "hole" if row["start_ns"] > end_ns else "overlap"
            found.append(f"{kind} of {abs(row['start_ns'] - end_ns) / 1e9:.3f} s before a {row['what']}")
        until[row["camera_id"]] = max(end_ns, row["end_ns"])
    return found
