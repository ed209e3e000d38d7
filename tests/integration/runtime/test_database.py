"""Connections that are there before somebody asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from runtime.database import open_pool
from runtime.errors import DatabaseAwayError
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
