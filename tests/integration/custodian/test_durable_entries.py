"""Entries of the audit chain wait for the disk, the one-statement way and within a transaction."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from runtime.database import connect
from storage.catalogue import audit
from tests.conftest import Database

pytestmark = pytest.mark.services


async def test_entry_waits_for_the_disk_whatever_the_servers_default_is(database: Database) -> None:
    """Control: an ordinary commit of the same role does not."""

    async def flushed(conn: asyncpg.Connection) -> tuple[int, int]:
        query = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn, pg_current_wal_flush_lsn() - '0/0'::pg_lsn"
        inserted, done = await conn.fetchrow(query)
        return int(inserted), int(done)

    conn = await connect(database.owner)
    try:
        await conn.execute("SET synchronous_commit = off")
        lazy = []
        for number in range(20):
            before, _ = await flushed(conn)
            await conn.execute(
                "INSERT INTO site (site_id, name, time_zone) VALUES ($1, $2, 'UTC')", uuid4(), f"{number}"
            )
            lazy.append((await flushed(conn))[1] > before)
        assert not all(lazy)
        for number in range(20):
            before, _ = await flushed(conn)
            await audit.append(conn, audit.Entry(actor="nobody", action="test"), number)
            assert (await flushed(conn))[1] > before
            async with conn.transaction():
                before, _ = await flushed(conn)
                await audit.append_in(conn, audit.Entry(actor="nobody", action="test"), number)
            assert (await flushed(conn))[1] > before
    finally:
        await conn.close()
