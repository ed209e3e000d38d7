"""The floor of committing: rows as wide as events into a bare table with its key alone, a thousand a transaction.

Runs as a child of frame/process.py. Parameters: ``database`` (DatabaseSettings as JSON), ``events``. Says ``done``.
"""

from __future__ import annotations

import os
import time
import uuid
from typing import Any

import uvloop
from pydantic import TypeAdapter

from benchmarks.frame.side import read_parameters, say, serve_parent
from runtime.database import connect
from runtime.settings import DatabaseSettings

_BATCH = 1000
_TABLE = """
    CREATE TABLE floor_event (event_id uuid PRIMARY KEY, dedup_key bytea, site_id uuid, door_id uuid, kind text,
        direction text, member_id uuid, occurred_ns bigint, received_ns bigint, uncertain boolean)
"""
_INSERT = """
    INSERT INTO floor_event
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::uuid[],
                         $8::bigint[], $9::bigint[], $10::boolean[])
"""


def _batches(events: int) -> list[tuple[list[Any], ...]]:
    """Made before the clock runs."""
    one = uuid.uuid4()
    found: list[tuple[list[Any], ...]] = []
    for at in range(0, events, _BATCH):
        n = min(_BATCH, events - at)
        ids, keys = [uuid.uuid4() for _ in range(n)], [os.urandom(32) for _ in range(n)]
        times = [time.time_ns()] * n
        found.append(
            (ids, keys, [one] * n, [one] * n, ["granted"] * n, ["in"] * n, [one] * n, times, times, [False] * n)
        )
    return found


async def _work(given: dict[str, Any]) -> None:
    settings = TypeAdapter(DatabaseSettings).validate_python(given["database"])
    conn = await connect(settings)
    await conn.execute(_TABLE)
    batches = _batches(given["events"])
    say("ready", {})
    insert = await conn.prepare(_INSERT)
    began, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        await insert.fetch(*batch)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    say("done", {"events": given["events"], "s": took, "cpu_s": used})
    await conn.execute("DROP TABLE floor_event")
    await conn.close()
    await serve_parent(dict)


def main() -> None:
    """Insert, then wait for the parent."""
    uvloop.run(_work(read_parameters()))


if __name__ == "__main__":
    main()
