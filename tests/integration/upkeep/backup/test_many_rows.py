"""A million segment rows: how long a copy and a restoration take, and how large they are. Printed with ``-s``."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from pathlib import Path

import pytest

from benchmarks.load.rows import generate_rows
from domain.ids import CameraId
from pipeline.embedded.postgres import start_postgres
from runtime.database import connect
from runtime.private_files import private_directory
from tests.integration.upkeep.backup.test_backup import KEY, gym
from upkeep.backup.compare import moment_of, tables_of
from upkeep.backup.reader import SetReader, choose, key_of

pytestmark = [pytest.mark.long, pytest.mark.services, pytest.mark.timeout(3600)]

ROWS, CAMERAS = 1_000_000, 100


async def test_million_rows_are_back_within_minutes(tmp_path: Path) -> None:
    async with gym(tmp_path) as now:
        owner = await connect(now.settings, statement_timeout_s=0)
        await generate_rows(owner, [CameraId(uuid.uuid4()) for _ in range(CAMERAS)], ROWS, time.time_ns())
        cluster_bytes = await owner.fetchval("SELECT pg_database_size(current_database())")
        await owner.close()
        backups, began_s = now.backups(), time.monotonic()
        await backups.base_once()
        figures = {"rows": ROWS, "database_bytes": cluster_bytes, "backup_s": round(time.monotonic() - began_s, 1)}
        parts = await asyncio.to_thread(lambda: [path.stat().st_size for path in (tmp_path / "place").glob("*/*")])
        figures["backup_bytes"] = sum(parts)
        began_s = time.monotonic()
        moment = await moment_of(now.settings)
        figures["compared_s"] = round(time.monotonic() - began_s, 1)
        began_s = time.monotonic()
        await backups.log_once()
        figures["log_s"] = round(time.monotonic() - began_s, 2)
        into, began_s = private_directory(tmp_path / "restored"), time.monotonic()
        listing = await choose(now.place)
        reader = SetReader(now.place, listing, await key_of(now.place, listing.set_id, KEY))
        opened = await reader.open(private_directory(into / "cluster"), until=moment.position)
        opened.tree.write("data/postgres", into)
        copy = await asyncio.to_thread(start_postgres, into, log=into / "log")
        figures["restored_s"] = round(time.monotonic() - began_s, 1)
        try:
            conn = await connect(copy.settings(database="tallenne"), statement_timeout_s=0)
            assert await tables_of(conn) == moment.tables
            await conn.close()
        finally:
            copy.stop()
        assert moment.tables["segment"][0] >= ROWS
        print(json.dumps(figures))
        assert figures["restored_s"] < 600
