"""Written, listed and read back; what nobody trusted wrote comes along with a reason and says nothing."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.time import HOUR_NS
from storage.journal import (
    JOURNAL_PREFIX,
    JournalKind,
    JournalRecord,
    JournalWriter,
    RefusedRecord,
    list_journal,
    read_records,
)
from tests.support.faults.memory_store import FakeStore

AT_NS = 500_000 * HOUR_NS


async def test_records_come_back_in_the_order_of_their_hours_and_forged_ones_with_a_reason() -> None:
    store: Any = FakeStore()
    key, stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    signer = key.public_key().public_bytes_raw()
    writer = JournalWriter(store, signer, key.sign)
    for hour in reversed(range(20)):
        await writer.write(JournalKind.GAP, AT_NS + hour * HOUR_NS, [{"hour": hour}])
        await writer.write(JournalKind.GAP, AT_NS + hour * HOUR_NS, [{"hour": hour}])  # again: nothing changes
    assert len(store.journal) == 20
    forged = JournalWriter(store, stranger.public_key().public_bytes_raw(), stranger.sign)
    planted = [
        await forged.write(JournalKind.GAP, AT_NS + 3 * HOUR_NS, [{"hour": -1}]),
        await put(store, f"{JOURNAL_PREFIX}gap/hello.txt", b"hello"),
        await put(store, f"{JOURNAL_PREFIX}gap/20260621T00-{'0' * 32}.tlnj", b"no record"),
    ]
    listing = await list_journal(store)
    found = [item async for item in read_records(store, listing.of(JournalKind.GAP), {signer})]
    assert [item.rows[0]["hour"] for item in found if isinstance(item, JournalRecord)] == list(range(20))
    refused = [*listing.refused, *(item for item in found if isinstance(item, RefusedRecord))]
    assert {item.name for item in refused} == set(planted)
    assert all(item.reason for item in refused)
    assert listing.of(JournalKind.EPOCH) == []


async def test_record_that_vanishes_while_it_is_read_is_refused() -> None:
    store: Any = FakeStore()
    key = Ed25519PrivateKey.generate()
    signer = key.public_key().public_bytes_raw()
    name = await JournalWriter(store, signer, key.sign).write(JournalKind.GAP, AT_NS, [])
    listing = await list_journal(store)
    del store.journal[name]
    (found,) = [item async for item in read_records(store, listing.of(JournalKind.GAP), {signer})]
    assert isinstance(found, RefusedRecord)
    assert found.name == name


async def put(store: Any, name: str, data: bytes) -> str:
    await store.put_new(name, data, size_bytes=len(data), sha256=hashlib.sha256(data).digest())
    return name
