"""The store that keeps nothing counts what it gets and holds nothing."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from storage.store import NullStore, PutOutcome
from storage.store.errors import ObjectMissingError


async def test_null_store_counts_and_keeps_nothing() -> None:
    store = NullStore()
    for name in ("a", "a"):
        assert await store.put_new(name, b"12345", size_bytes=5, sha256=bytes(32)) is PutOutcome.STORED
    assert (store.puts, store.bytes) == (2, 10)
    assert await store.stat("a") is None
    assert [info async for info in store.list("")] == []
    with pytest.raises(ObjectMissingError):
        await store.get_range("a", 0, 1)
    async with aclosing(store.stream_range("a", 0, 1)) as pieces:
        with pytest.raises(ObjectMissingError):
            await anext(pieces)
    await store.delete("a")
    await store.ensure_bucket()
    assert (await store.probe()).missing() == ()
