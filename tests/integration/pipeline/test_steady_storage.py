"""Storage beside a running gym whose footage ends with the hour: `tallenne up`, two cameras, a door, real time.

It runs over the end of a UTC hour, at which imported footage of the hour before the last expires. Bytes of everything
in the data directory are printed each minute (``-s``). ``TALLENNE_STEADY_S``: for how long at least.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from domain.time import HOUR_NS, MINUTE_NS, hour_of, to_iso
from runtime.database import connect
from tests.integration.pipeline.test_restore_command import Gym
from tests.support.cameras.video import encoded, written
from tests.support.processes.started import Started, started
from tests.support.processes.troubled_gym import Door, TroubledGym, cameras, configuration

pytestmark = [pytest.mark.long, pytest.mark.services, pytest.mark.timeout(2 * 3600)]

FOLDERS = ("store", "postgres/cluster/base", "postgres/cluster/pg_wal", "spool", "logs", "broker", "custodian", "run")
FILM_S, FILMS = 60, 8
FOOTAGE = "SELECT count(*), coalesce(sum(size_bytes), 0) AS bytes FROM segment JOIN segment_identity USING (segment_id)"
REMOVED = "SELECT coalesce(sum(segments), 0) AS count FROM expired_key WHERE removed_ns IS NOT NULL"
OLD = "SELECT FROM segment_identity WHERE start_ns < $1"


def test_expired_bytes_come_back_and_the_rest_stays_flat(tmp_path: Path) -> None:
    gym = Gym(tmp_path)
    with cameras() as urls:
        text = configuration(urls).replace("retention_h = 24", "retention_h = 1")
        (tmp_path / "tallenne.toml").write_text(text)
        with started(tmp_path) as up, Door(TroubledGym(directory=tmp_path)):
            old_ns = _import(tmp_path, up)
            imported = len(gym.ask(OLD, old_ns))
            rows = _watch(gym, until_ns=hour_of(time.time_ns()) + HOUR_NS)
            last = rows[-1]
            assert gym.ask(REMOVED)[0]["count"] == imported
            assert not gym.ask(OLD, old_ns)  # rows of dead footage go with their day
            assert up.problems() == ""
    # What grows is footage that lives; everything else stays as small as it was.
    assert last["spool"] < 16 << 20
    assert last["logs"] - rows[0]["logs"] < 1 << 20


def _import(directory: Path, up: Started) -> int:
    """Films of the hour before the last, as much as may still be imported; the end of that hour."""
    film = written(directory / "film.mp4", encoded(float(FILM_S)))
    end_ns = hour_of(time.time_ns())
    for camera in ("camera 0", "camera 1"):
        for number in range(FILMS):
            start_ns = end_ns - (number + 1) * 2 * MINUTE_NS
            up.run("import", film, "--camera", camera, "--start", to_iso(start_ns))
    return end_ns


def _watch(gym: Gym, until_ns: int) -> list[dict[str, int]]:
    """A row each minute, past the end of the hour and until what it ended is removed."""
    rows: list[dict[str, Any]] = []
    began_s = time.monotonic()
    least_s = float(os.environ.get("TALLENNE_STEADY_S", "1200"))
    while time.monotonic() - began_s < least_s or time.time_ns() < until_ns + 5 * MINUTE_NS:
        row = {"s": round(time.monotonic() - began_s), **{name: _bytes(gym.data / name) for name in FOLDERS}}
        row.update(asyncio.run(_database(gym)))
        rows.append(row)
        print(json.dumps(row), flush=True)
        time.sleep(60)
    return rows


async def _database(gym: Gym) -> dict[str, int]:
    conn = await connect(gym.database())
    try:
        footage = await conn.fetchrow(FOOTAGE)
        size = await conn.fetchval("SELECT pg_database_size(current_database())")
    finally:
        await conn.close()
    return {"segments": footage["count"], "footage": int(footage["bytes"]), "database": size}


def _bytes(folder: Path) -> int:
    """What it takes of the disk; files that go meanwhile count as gone."""
    found = 0
    for path in folder.rglob("*"):
        try:
            found += path.lstat().st_blocks * 512
        except FileNotFoundError:
            continue
    return found
