"""Whole objects, read from end to end: each flaw that is planted is found and called what it is."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from functools import cache
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.footage import Segment
from storage.catalogue.recorders import Enrolled, Recorders
from storage.sealed import OVERHEAD, TRAILER_SIZE, PayloadKey
from storage.store import ObjectInfo, ObjectStore
from storage.store.errors import ObjectMissingError, StoreProtocolError
from tests.support.cameras.video import encoded, units
from tests.support.footage.sealed import END_NS, payload_key_of, seal
from tests.support.footage.shelf import Shelf
from upkeep.inspection.errors import BadObjectError, Flaw
from upkeep.inspection.objects import Inspected, inspect_object, object_sha256, trailer_hash


class Store:
    """Objects in memory, given out in pieces of odd lengths."""

    def __init__(self, objects: dict[str, bytes], *, hashes: bool = True) -> None:
        self.objects, self.hashes = objects, hashes

    async def get_range(self, name: str, start: int, end: int) -> bytes:
        if name not in self.objects:
            raise ObjectMissingError("gone")
        if end > len(self.objects[name]):
            raise StoreProtocolError("short")
        return self.objects[name][start:end]

    async def stream_range(self, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        data = await self.get_range(name, start, end)
        for at in range(0, len(data), 7001):
            yield data[at : at + 7001]

    async def stat(self, name: str) -> ObjectInfo | None:
        data = self.objects.get(name)
        if data is None:
            return None
        return ObjectInfo(
            name=name, size_bytes=len(data), sha256=hashlib.sha256(data).digest() if self.hashes else None
        )


@cache
def filmed() -> tuple[Shelf, Segment, bytes]:
    """One segment of several chunks."""
    shelf = Shelf()
    shelf.film(units(encoded(4, gop=25, size=(640, 352))), segment_s=20.0)
    (segment,) = shelf.segments
    data = shelf.objects[shelf.name(segment)]
    assert len(data) > 4 << 14
    return shelf, segment, data


def enrolled() -> Recorders:
    return {each: Enrolled(public_key=key, revoked_ns=None) for each, key in filmed()[0].world.recorders.items()}


async def inspected(data: bytes, *, key: PayloadKey | None, recorders: Recorders | None = None) -> Inspected:
    store = cast("ObjectStore", cast("Any", Store({"name": data})))
    return await inspect_object(store, "name", len(data), enrolled() if recorders is None else recorders, key)


def key() -> PayloadKey:
    shelf, segment, _ = filmed()
    return shelf.keys[segment.segment_id]


@pytest.mark.parametrize("opened", [True, False])
async def test_genuine_object_has_no_flaw_and_its_figures_are_the_row_s(opened: bool) -> None:
    _, segment, data = filmed()
    found = await inspected(data, key=key() if opened else None)
    assert (found.size_bytes, found.sha256, found.header_bytes) == (segment.size_bytes, segment.sha256, segment.header)
    assert found.trailer_sha256 == hashlib.sha256(data[-TRAILER_SIZE:]).digest()
    assert (found.walked is not None) is opened
    if found.walked is not None:
        assert found.walked.index == segment.fragments


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("damage", "flaw"),
    [
        (lambda data: b"", Flaw.SIZE),
        (lambda data: data[: OVERHEAD - 1], Flaw.SIZE),
        (lambda data: flipped(data, 0), Flaw.HEADER),
        (lambda data: flipped(data, 8), Flaw.UNSIGNED),  # the site: the signature covers the core
        (lambda data: data[:-1], Flaw.TRAILER),
        (lambda data: data[:-TRAILER_SIZE], Flaw.TRAILER),
        (lambda data: data + data[-TRAILER_SIZE:], Flaw.TRAILER),
        (lambda data: flipped(data, len(data) - 1), Flaw.UNSIGNED),
        (lambda data: flipped(data, 96), Flaw.HASH),  # the commitment
        (lambda data: flipped(data, 300), Flaw.HASH),
        (lambda data: flipped(data, len(data) - TRAILER_SIZE - 1), Flaw.HASH),
    ],
)
async def test_flaw_is_found_without_a_key(damage: Callable[[bytes], bytes], flaw: Flaw) -> None:
    with pytest.raises(BadObjectError) as caught:
        await inspected(damage(filmed()[2]), key=None)
    assert caught.value.flaw is flaw


@pytest.mark.parametrize("at", [300, -TRAILER_SIZE - 1])
async def test_chunk_that_the_key_does_not_open_is_a_flaw_of_the_chunk(at: int) -> None:
    _, _, data = filmed()
    with pytest.raises(BadObjectError) as caught:
        await inspected(flipped(data, at % len(data)), key=key())
    assert caught.value.flaw is Flaw.CHUNK


async def test_contents_that_our_recorder_does_not_write_are_a_flaw_of_the_boxes() -> None:
    world = filmed()[0].world
    data = seal(world, b"no MP4 at all" * 2000, end_ns=END_NS)
    with pytest.raises(BadObjectError) as caught:
        await inspected(data, key=payload_key_of(data, world.hour_private, world.recorders))
    assert caught.value.flaw is Flaw.BOXES


async def test_recorder_must_be_enrolled_not_revoked_before_and_the_one_who_signed() -> None:
    _, segment, data = filmed()
    (recorder_id,) = enrolled()
    public_key = enrolled()[recorder_id].public_key
    end_ns = segment.span.end_ns
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    for wrong in (
        {},
        {recorder_id: Enrolled(public_key=other, revoked_ns=None)},
        {recorder_id: Enrolled(public_key=public_key, revoked_ns=end_ns - 1)},
    ):
        with pytest.raises(BadObjectError) as caught:
            await inspected(data, key=None, recorders=wrong)
        assert caught.value.flaw is Flaw.UNSIGNED
    await inspected(data, key=None, recorders={recorder_id: Enrolled(public_key=public_key, revoked_ns=end_ns)})


async def test_object_that_is_gone_or_shorter_than_its_row_says_so() -> None:
    data = filmed()[2]
    for objects, flaw in (({}, Flaw.MISSING), ({"name": data[:-1]}, Flaw.SIZE)):
        store = cast("ObjectStore", cast("Any", Store(objects)))
        with pytest.raises(BadObjectError) as caught:
            await inspect_object(store, "name", len(data), enrolled(), None)
        assert caught.value.flaw is flaw


@pytest.mark.parametrize("hashes", [True, False])
async def test_hash_of_an_object_is_the_store_s_or_computed(hashes: bool) -> None:
    data = filmed()[2]
    store = cast("ObjectStore", cast("Any", Store({"name": data}, hashes=hashes)))
    info = ObjectInfo(name="name", size_bytes=1)
    assert await object_sha256(store, info) == hashlib.sha256(data).digest()
    assert await object_sha256(store, replace(info, name="gone")) is None


async def test_hash_of_a_trailer_is_none_where_there_is_no_trailer() -> None:
    data = filmed()[2]
    store = cast("ObjectStore", cast("Any", Store({"name": data})))
    assert await trailer_hash(store, "name", len(data)) == hashlib.sha256(data[-TRAILER_SIZE:]).digest()
    for name, size in (("name", len(data) - 1), ("name", OVERHEAD - 1), ("name", len(data) + 1), ("gone", len(data))):
        assert await trailer_hash(store, name, size) is None
