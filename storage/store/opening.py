"""Opens the store that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.settings import StoreSettings
from storage.store.null import NullStore
from storage.store.pool import ConnectionPool
from storage.store.protocol import ObjectStore
from storage.store.reading import Readings
from storage.store.s3 import S3Store


@asynccontextmanager
async def open_store(
    settings: StoreSettings, *, connections: int = 8, readings: int = 32
) -> AsyncIterator[ObjectStore]:
    """Opens nothing yet: the first call connects.

    ``connections`` bounds the calls at a time, and the threads; ``readings`` the ranges that are read at a time.
    """
    if settings.null and not settings.endpoint:
        yield NullStore()
        return
    pool, reads = ConnectionPool(settings, connections), Readings(settings, readings)
    try:
        yield S3Store(settings, pool, reads)
    finally:
        reads.close()
        await pool.close()
