"""Opens the store that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.settings import StoreSettings
from storage.store.null import NullStore
from storage.store.pool import ConnectionPool
from storage.store.protocol import ObjectStore
from storage.store.s3 import S3Store


@asynccontextmanager
async def open_store(settings: StoreSettings, *, connections: int = 8) -> AsyncIterator[ObjectStore]:
    """Opens nothing yet: the first call connects. ``connections`` bounds the calls at a time, and the threads."""
    if settings.null and not settings.endpoint:
        yield NullStore()
        return
    pool = ConnectionPool(settings, connections)
    try:
        yield S3Store(settings, pool)
    finally:
        await pool.close()
