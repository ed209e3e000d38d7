"""Writes records, each role with its own key. Create-only: what is written stays."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from storage.journal.names import JournalKind
from storage.journal.record import Row, pack_record
from storage.store import ObjectStore
from storage.store.errors import ObjectConflictError

_ATTEMPTS: Final = 4


class JournalWriter:
    """``written`` and ``bytes`` count since the start."""

    def __init__(self, store: ObjectStore, signer: bytes, sign: Callable[[bytes], bytes]) -> None:
        """``signer``: Ed25519 public key, 32 bytes; ``sign``: signs with its private half."""
        self._store, self._signer, self._sign = store, signer, sign
        self.written = 0
        self.bytes = 0

    async def write(self, kind: JournalKind, at_ns: int, rows: Sequence[Row]) -> str:
        """Write one record and return its name; durable on return. The same rows again: nothing changes.

        ``at_ns``: within the hour that the record belongs to (JournalKind says which). Raises the store's errors.
        """
        for attempt in range(_ATTEMPTS - 1):
            with suppress(ObjectConflictError):  # another took the name: their object says nothing and is reported
                return await self._put(kind, at_ns, rows, attempt)
        return await self._put(kind, at_ns, rows, _ATTEMPTS - 1)

    async def _put(self, kind: JournalKind, at_ns: int, rows: Sequence[Row], attempt: int) -> str:
        name, data = pack_record(kind, at_ns, rows, self._signer, self._sign, attempt=attempt)
        await self._store.put_new(name, data, size_bytes=len(data), sha256=hashlib.sha256(data).digest())
        self.written += 1
        self.bytes += len(data)
        return name
