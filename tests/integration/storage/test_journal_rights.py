"""At the embedded store the custodian may create records, and neither delete one nor write elsewhere."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.embedded.store import Store
from runtime.settings import StoreSettings
from storage.journal import JournalKind, JournalWriter, list_journal
from storage.store import open_store
from storage.store.errors import StoreRefusedError

pytestmark = pytest.mark.services


async def test_custodian_may_write_the_journal_and_nothing_else(store: StoreSettings, store_server: Store) -> None:
    keys = store_server.custodian
    key = Ed25519PrivateKey.generate()
    async with (
        open_store(store) as everything,
        open_store(replace(store, access_key=keys.access_key, secret_key=keys.secret_key)) as objects,
    ):
        await everything.ensure_bucket()
        writer = JournalWriter(objects, key.public_key().public_bytes_raw(), key.sign)
        for _ in range(2):  # again: it finds its own record
            name = await writer.write(JournalKind.GAP, 0, [{"a": 1}])
        with pytest.raises(StoreRefusedError):
            await objects.delete(name)
        with pytest.raises(StoreRefusedError):
            await objects.put_new("v1/x", b"x", size_bytes=1, sha256=hashlib.sha256(b"x").digest())
        assert len((await list_journal(everything)).of(JournalKind.GAP)) == 1
