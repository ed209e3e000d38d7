from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from runtime.database import connect, open_pool
from tests.conftest import Database
from tests.support.doors.door_log import Gym, add_gym


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    conn = await connect(database.owner)
    yield conn
    await conn.close()


@pytest.fixture
async def ingest(database: Database) -> AsyncIterator[asyncpg.Connection]:
    conn = await connect(database.ingest)
    yield conn
    await conn.close()


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    """As the indexer's role."""
    async with open_pool(database.index, application_name="test", max_size=8) as opened:
        yield opened


@pytest.fixture
async def gym(owner: asyncpg.Connection) -> Gym:
    return await add_gym(owner)
