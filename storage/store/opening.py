"""Opens the store that the settings describe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.settings import StoreSettings
from storage.store.null import NullStore
from storage.store.pool import ConnectionPool
from storage.store.protocol import ObjectStore
from storage.store.range_connection import RangePool
from storage.store.s3 import S3Store


@asynccontextmanager
async def open_store(
    settings: StoreSettings, *, connections: int = 8, range_connections: int = 32
) -> AsyncIterator[ObjectStore]:
    """Yield the store and close its connections on leaving. The first call connects, not the opening.

    ``connections``: the limit of concurrent calls, each in a thread. ``range_connections``: the limit of ranges that
    the event loop reads concurrently.
    """
    if settings.null and not settings.endpoint:
        yield NullStore()
        return
    pool, ranges = ConnectionPool(settings, connections), RangePool(settings, range_connections)
    try:
        yield S3Store(settings, pool, ranges)
    finally:
        ranges.close()
        await pool.close()
