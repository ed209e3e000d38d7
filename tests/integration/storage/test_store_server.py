"""What an S3 server can and cannot do, found by probing; and the faults that an operator must correct."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import aclosing
from dataclasses import replace

import pytest

from pipeline.embedded.store import Store
from runtime.settings import StoreSettings
from storage.store import Capabilities, PutOutcome
from storage.store.errors import (
    ObjectConflictError,
    StoreAwayError,
    StoreRefusedError,
)
from storage.store.opening import open_store
from storage.store.s3 import S3Store
from tests.support.faults.faulty_proxy import FaultyProxy
from tests.support.footage.store_calls import digest, put

pytestmark = pytest.mark.services


async def test_list_gives_all_in_order_with_sizes(s3store: S3Store) -> None:
    names = sorted(f"v1/{group}/{number:04d}-{'x' * (number % 3)}" for group in "ab" for number in range(550))
    gate = asyncio.Semaphore(8)

    async def one(name: str) -> None:
        async with gate:
            await put(s3store, name, name.encode())

    await asyncio.gather(*(one(name) for name in names))
    listed = [info async for info in s3store.list("v1/")]
    assert [info.name for info in listed] == names
    assert all(info.size_bytes == len(info.name) for info in listed)
    now_ns = time.time_ns()
    assert all(info.modified_ns is not None and abs(now_ns - info.modified_ns) < 120 * 10**9 for info in listed)
    assert [info.name async for info in s3store.list("v1/b/")] == [name for name in names if name.startswith("v1/b/")]
    after = names[1011]
    assert [info.name async for info in s3store.list("v1/", start_after=after)] == names[1012:]
    assert [info.name async for info in s3store.list("v2/")] == []
    async with aclosing(s3store.list("v1/")) as some:
        assert (await anext(some)).name == names[0]


async def test_deleted_object_is_gone(s3store: S3Store) -> None:
    await put(s3store, "probe/name", b"1")  # the only place where the embedded store lets this user delete
    await put(s3store, "probe/other", b"2")
    await s3store.delete("probe/name")
    assert await s3store.stat("probe/name") is None
    assert [info.name async for info in s3store.list("probe/")] == ["probe/other"]
    assert await put(s3store, "probe/name", b"3") is PutOutcome.STORED


async def test_only_the_keeper_deletes_footage_and_the_keeper_writes_none(
    store: StoreSettings, store_server: Store, s3store: S3Store
) -> None:
    await put(s3store, "v1/name", b"1")
    with pytest.raises(StoreRefusedError, match="403"):
        await s3store.delete("v1/name")
    keys = store_server.keeper
    async with open_store(replace(store, access_key=keys.access_key, secret_key=keys.secret_key)) as keeper:
        for refused in (put(keeper, "v1/other", b"2"), keeper.get_range("v1/name", 0, 1)):
            with pytest.raises(StoreRefusedError, match="403"):
                await refused
        assert [info.name async for info in keeper.list("v1/")] == ["v1/name"]
        await keeper.delete("v1/name")
    assert await s3store.stat("v1/name") is None


async def test_probe_finds_what_the_server_honours_and_leaves_nothing(s3store: S3Store) -> None:
    capabilities = await s3store.probe()
    assert capabilities.create_only
    assert capabilities.checksum
    assert [info.name async for info in s3store.list("")] == []
    assert not any("If-None-Match" in line or "SHA-256" in line for line in capabilities.missing())


async def test_probe_of_a_server_that_overwrites_and_ignores_checksums_says_so(
    far: tuple[S3Store, FaultyProxy],
) -> None:
    store, proxy = far
    proxy.only = ("PUT",)
    fine = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    proxy.faults.extend([fine, fine, fine])
    capabilities = await store.probe()
    assert not capabilities.create_only
    assert not capabilities.checksum
    assert len(capabilities.missing()) >= 2


async def test_server_without_create_only_is_asked_first(s3store: S3Store) -> None:
    s3store.capabilities = Capabilities(create_only=False, checksum=False, versioning=False)
    body = os.urandom(1000)
    assert await put(s3store, "name", body) is PutOutcome.STORED
    assert await put(s3store, "name", body) is PutOutcome.ALREADY
    with pytest.raises(ObjectConflictError):
        await put(s3store, "name", os.urandom(1000))
    assert await s3store.get_range("name", 0, 1000) == body


async def test_server_that_does_not_verify_is_read_back(far: tuple[S3Store, FaultyProxy]) -> None:
    store, proxy = far
    store.capabilities = Capabilities(create_only=True, checksum=False, versioning=False)
    await put(store, "name", b"body")
    assert [line.split()[0] for line in proxy.requests] == ["PUT", "HEAD", "GET"]
    # A server that stored other bytes than it was sent: it answers, and what it holds is something else.
    await put(store, "other", b"else")
    proxy.only = ("PUT",)
    proxy.faults.append(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(ObjectConflictError):
        await store.put_new("other", b"body", size_bytes=4, sha256=digest(b"body"))


async def test_wrong_credentials_bucket_and_address_are_told_apart(store: StoreSettings, s3store: S3Store) -> None:
    wrong_key = replace(store, access_key="nobody")
    wrong_secret = replace(store, secret_key="canary-secret-0000")
    no_bucket = replace(store, bucket="test-not-there")  # SeaweedFS makes a bucket at the first PUT: only read there
    nobody = replace(store, endpoint="127.0.0.1:9")
    for settings, expected in (
        (wrong_key, StoreRefusedError),
        (wrong_secret, StoreRefusedError),
        (no_bucket, StoreRefusedError),
        (nobody, StoreAwayError),
    ):
        async with open_store(settings) as opened:
            calls = [lambda: opened.get_range("name", 0, 4), lambda: _first(opened.list(""))]
            if settings is not no_bucket:
                calls += [lambda: opened.put_new("name", b"body", size_bytes=4, sha256=digest(b"body")), opened.probe]
            for call in calls:
                with pytest.raises(expected) as caught:
                    await call()
                assert caught.value.remedy
                assert settings.secret_key not in str(caught.value)
    async with open_store(wrong_key) as opened:
        with pytest.raises(StoreRefusedError):
            await opened.ensure_bucket()


async def test_bucket_is_made_once_by_two_at_a_time(store: StoreSettings) -> None:
    async with open_store(store) as opened:
        await asyncio.gather(*(opened.ensure_bucket() for _ in range(4)))
        await opened.ensure_bucket()
        assert await opened.put_new("name", b"body", size_bytes=4, sha256=digest(b"body")) is PutOutcome.STORED


async def _first(listing: object) -> object:
    async with aclosing(listing) as some:  # type: ignore[type-var]
        return await anext(some, None)  # type: ignore[call-overload]
