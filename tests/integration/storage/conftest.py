"""Fixtures of the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from runtime.settings import StoreSettings
from storage.store.opening import open_store
from storage.store.s3 import S3Store
from tests.support.faults.faulty_proxy import FaultyProxy
from tests.support.footage.store_calls import behind_proxy


@pytest.fixture
async def s3store(store: StoreSettings) -> AsyncIterator[S3Store]:
    """A bucket of this test's own, made."""
    async with open_store(store) as opened:
        assert isinstance(opened, S3Store)
        await opened.ensure_bucket()
        yield opened


@pytest.fixture
async def far(store: StoreSettings, s3store: S3Store) -> AsyncIterator[tuple[S3Store, FaultyProxy]]:
    async with behind_proxy(store, s3store) as both:
        yield both
