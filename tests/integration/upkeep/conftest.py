"""Fixtures of the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.settings import StoreSettings
from tests.conftest import Database
from tests.integration.storage.footage import Footage, footage


@pytest.fixture
async def recorded(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> AsyncIterator[Footage]:
    async with footage(database, store, keeper_store, tmp_path) as made:
        yield made
