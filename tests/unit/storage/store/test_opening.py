"""The settings decide which store is opened; what was opened is closed."""

from __future__ import annotations

from dataclasses import replace

from storage.store import NullStore, open_store
from storage.store.s3 import S3Store
from tests.support.faults.scripted_server import response, scripted_server


async def test_store_without_an_endpoint_that_is_to_keep_nothing_is_the_null_store() -> None:
    with scripted_server(lambda _: response(200)) as server:
        async with open_store(replace(server.settings, endpoint="", null=True)) as store:
            assert isinstance(store, NullStore)
        async with open_store(replace(server.settings, null=True)) as store:  # a sink that speaks S3
            assert isinstance(store, S3Store)


async def test_store_connects_at_the_first_call_and_not_before() -> None:
    with scripted_server(lambda _: response(404)) as server:
        async with open_store(server.settings) as store:
            assert server.connections == 0
            assert await store.stat("a") is None
            assert server.connections == 1
