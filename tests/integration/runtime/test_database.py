"""Connections that are there before somebody asks."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import pytest

from runtime.database import connect, open_pool
from runtime.errors import DatabaseAwayError, DatabaseRefusedError
from runtime.settings import DatabaseSettings
from tests.conftest import Database


async def test_ready_connections_are_opened_without_a_question(database: Database) -> None:
    async with open_pool(database.serve, application_name="test", min_size=0, ready=3) as pool:
        async with asyncio.timeout(20):
            while pool.get_idle_size() < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_pool_that_cannot_be_made_ready_opens_all_the_same(database: Database) -> None:
    away = replace(database.serve, port=1)
    async with open_pool(away, application_name="test", min_size=0, ready=3) as pool:
        await asyncio.sleep(0.2)
        assert pool.get_size() == 0
        with pytest.raises((OSError, DatabaseAwayError)):
            await pool.fetchval("SELECT 1")


async def test_a_database_that_cannot_hold_every_name_is_refused_by_its_encoding(database: Database) -> None:
    conn = await connect(database.owner)
    name = f"latin_{uuid.uuid4().hex}"
    await conn.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0")
    try:
        with pytest.raises(DatabaseRefusedError, match="encoded in LATIN1"):
            await connect(replace(database.owner, database=name))
    finally:
        await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await conn.close()


async def test_a_pooler_that_refuses_a_parameter_is_named_with_it() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        fields = (b"SFATAL", b"VFATAL", b"C08P01", b"Munsupported startup parameter: search_path")
        body = b"".join(field + b"\0" for field in fields) + b"\0"
        writer.write(b"E" + (len(body) + 4).to_bytes(4, "big") + body)
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = DatabaseSettings(host="127.0.0.1", port=port, database="d", user="u", password="p")
    async with server:
        with pytest.raises(DatabaseRefusedError, match="'search_path'") as caught:
            await connect(settings)
    assert "PgBouncer" in caught.value.what
