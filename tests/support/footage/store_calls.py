"""Small objects for tests of the store's client."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from runtime.settings import StoreSettings
from storage.store import PutOutcome
from storage.store.opening import open_store
from storage.store.s3 import S3Store
from tests.support.faults.faulty_proxy import FaultyProxy, faulty_proxy


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def contents(data: bytes | Path) -> bytes:
    return data.read_bytes() if isinstance(data, Path) else data


async def put(store: S3Store, name: str, data: bytes | Path) -> PutOutcome:
    body = contents(data)
    return await store.put_new(name, data, size_bytes=len(body), sha256=digest(body))


@asynccontextmanager
async def behind_proxy(settings: StoreSettings, s3store: S3Store) -> AsyncIterator[tuple[S3Store, FaultyProxy]]:
    """The same bucket by way of a proxy that can misbehave."""
    async with (
        faulty_proxy(settings.endpoint) as proxy,
        open_store(replace(settings, endpoint=proxy.endpoint), connections=4) as opened,
    ):
        assert isinstance(opened, S3Store)
        yield opened, proxy
