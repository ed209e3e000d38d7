"""Invariants 7 and 8 in the bucket: names are ids and times, nothing is said beside an object, nothing is in clear."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from minio import Minio

from runtime.settings import StoreSettings
from storage.sealed import SegmentReader
from tests.conftest import Database
from tests.integration.storage.footage import Footage, footage

pytestmark = pytest.mark.services

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NAME = re.compile(
    rf"v1/{UUID}/{UUID}/\d{{8}}/\d{{19}}-{UUID}\.tlns"
    r"|heads/\d{20}\.\d{20}\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{86}"  # a signed head of the audit chain
    r"|journal/v1/[a-z_]+/\d{8}T\d\d-[0-9a-f]{32}\.tlnj"
)


@pytest.fixture
async def recorded(
    database: Database, store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> AsyncIterator[Footage]:
    async with footage(database, store, keeper_store, tmp_path) as made:
        yield made


def told_beside(store: StoreSettings, name: str) -> dict[str, str]:
    """Whatever the store keeps of an object that its writer said: user metadata, tags, a content type of its own."""
    client = Minio(store.endpoint, store.access_key, store.secret_key, secure=False, region=store.region)
    found = client.stat_object(store.bucket, name)
    own = {key.lower(): value for key, value in (found.metadata or {}).items()}
    said = {key: value for key, value in own.items() if key.startswith("x-amz-meta-") or key == "content-disposition"}
    url = client.get_presigned_url("GET", store.bucket, name)
    with urllib.request.urlopen(url) as answer:
        said |= {key: value for key, value in answer.headers.items() if key.lower().startswith("x-amz-meta-")}
    return said


async def test_objects_say_ids_and_times_and_nothing_else(recorded: Footage, store: StoreSettings) -> None:
    names = [item.name async for item in recorded.stage.objects.list("")]
    assert len(names) >= 10
    assert [name for name in names if NAME.fullmatch(name) is None] == []
    for name in names:
        assert await asyncio.to_thread(told_beside, store, name) == {}
    # Control: what is said beside an object is seen, and a name of somebody is no name of ours.
    planted = next(name for name in names if name.endswith(".tlns")).replace(".tlns", "-aino.tlns")
    client = Minio(store.endpoint, store.access_key, store.secret_key, secure=False, region=store.region)
    await asyncio.to_thread(client.put_object, store.bucket, planted, io.BytesIO(b"x"), 1, metadata={"member": "Aino"})
    assert NAME.fullmatch(planted) is None
    assert await asyncio.to_thread(told_beside, store, planted) != {}


async def test_no_plaintext_is_in_any_object(recorded: Footage) -> None:
    """By bytes of the very footage, opened for this: a stretch from the middle of each segment's plaintext."""
    segments = await recorded.segments()
    keys = await recorded.stage.client.open_for_verify([item.segment_id for item in segments])
    plain = {}
    for item in segments:
        data = await recorded.data(item)

        async def fetch(start: int, end: int, data: bytes = data) -> bytes:
            return data[start:end]

        reader = SegmentReader(keys[item.segment_id], item.size_bytes, fetch)
        plain[item.segment_id] = bytes(await reader.read(0, reader.plain_len))
    telling = [stretch for whole in plain.values() for stretch in telling_stretches(whole)]
    assert len(telling) > 20
    assert found_in_clear(telling, await everything(recorded)) == []
    # Control: one segment's footage, put into the bucket in clear, is found by the same search.
    planted = next(iter(plain.values()))
    await recorded.stage.objects.put_new(
        "v1/planted", planted, size_bytes=len(planted), sha256=hashlib.sha256(planted).digest()
    )
    assert set(found_in_clear(telling, await everything(recorded))) >= set(telling_stretches(planted))


def telling_stretches(whole: bytes) -> list[bytes]:
    """Some 24 bytes each that occur nowhere by chance."""
    varied = [at for at in range(0, len(whole) - 24, 8) if len(set(whole[at : at + 24])) > 14]
    return [whole[at : at + 24] for at in varied[:: max(1, len(varied) // 20)]]


def found_in_clear(stretches: list[bytes], data: bytes) -> list[bytes]:
    return [stretch for stretch in stretches if stretch in data]


async def everything(recorded: Footage) -> bytes:
    """Every byte of every object in the bucket."""
    objects = recorded.stage.objects
    return b"".join([await objects.get_range(item.name, 0, item.size_bytes) async for item in objects.list("")])
