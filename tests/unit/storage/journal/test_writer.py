"""A name that somebody else has taken keeps nothing from being written; theirs says nothing."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.time import HOUR_NS
from storage.journal import JournalKind, JournalRecord, JournalWriter, list_journal, read_records
from storage.store.errors import StoreAwayError
from tests.support.faults.memory_store import FakeStore

AT_NS = 500_000 * HOUR_NS


def writer(store: Any, key: Ed25519PrivateKey) -> JournalWriter:
    return JournalWriter(store, key.public_key().public_bytes_raw(), key.sign)


async def test_name_taken_by_a_stranger_keeps_nothing_from_being_written() -> None:
    store: Any = FakeStore()
    ours, stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    theirs = await writer(store, stranger).write(JournalKind.GAP, AT_NS, [{"a": 1}])
    name = await writer(store, ours).write(JournalKind.GAP, AT_NS, [{"a": 1}])
    assert name != theirs
    again = await writer(store, ours).write(JournalKind.GAP, AT_NS, [{"a": 1}])
    assert again == name
    listed = (await list_journal(store)).of(JournalKind.GAP)
    found = [item async for item in read_records(store, listed, {ours.public_key().public_bytes_raw()})]
    assert [item.name for item in found if isinstance(item, JournalRecord)] == [name]


async def test_reply_that_was_lost_leaves_one_record_when_it_is_written_again() -> None:
    store: Any = FakeStore()
    made = writer(store, Ed25519PrivateKey.generate())
    store.lose_record_replies = 1
    with pytest.raises(StoreAwayError):
        await made.write(JournalKind.GAP, AT_NS, [{"a": 1}])
    await made.write(JournalKind.GAP, AT_NS, [{"a": 1}])
    assert len(store.journal) == 1
    assert made.written == 1
