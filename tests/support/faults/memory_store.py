"""An object store in memory, create-only, with the faults that a store has."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

from storage.journal import JOURNAL_PREFIX
from storage.store import ObjectInfo, PutOutcome
from storage.store.errors import DigestError, ObjectConflictError, ObjectMissingError, StoreAwayError


class FakeStore:
    """Objects in memory, create-only, with the faults that a store has."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.journal: dict[str, bytes] = {}  # the records among them
        self.away = False
        self.lose_replies = 0  # to puts of footage
        self.lose_record_replies = 0  # to puts of the journal
        self.damage = 0  # so many puts arrive damaged
        self.puts: list[str] = []  # of footage
        self.delay_s = 0.0
        self.at_once = self.most_at_once = 0

    async def put_new(self, name: str, source: Path | bytes, *, size_bytes: int, sha256: bytes) -> PutOutcome:
        if name.startswith(JOURNAL_PREFIX):
            return self._put(name, source, size_bytes, sha256)
        self.puts.append(name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.delay_s)
            return self._put(name, source, size_bytes, sha256)
        finally:
            self.at_once -= 1

    async def ensure_bucket(self) -> None:
        if self.away:
            raise StoreAwayError("The object store is away.", "It will be tried again.")

    async def get_range(self, name: str, start: int, end: int) -> bytes:
        found = self._of(name)
        if name not in found:
            raise ObjectMissingError("There is no such object.")
        return found[name][start:end]

    async def list(self, prefix: str) -> AsyncGenerator[ObjectInfo, None]:
        found = self._of(prefix)
        for name in sorted(found):
            if name.startswith(prefix):
                yield ObjectInfo(name=name, size_bytes=len(found[name]))

    def _of(self, name: str) -> dict[str, bytes]:
        return self.journal if name.startswith(JOURNAL_PREFIX) else self.objects

    async def stat(self, name: str) -> ObjectInfo | None:
        if self.away:
            raise StoreAwayError("The object store is away.", "It will be tried again.")
        data = self._of(name).get(name)
        if data is None:
            return None
        return ObjectInfo(name=name, size_bytes=len(data), sha256=hashlib.sha256(data).digest())

    def _put(self, name: str, source: Path | bytes, size_bytes: int, sha256: bytes) -> PutOutcome:
        if self.away:
            raise StoreAwayError("The object store is away.", "It will be tried again.")
        if isinstance(source, Path) and not source.exists():
            raise DigestError("What should be sent is not there.")
        data = source.read_bytes() if isinstance(source, Path) else source
        if self.damage and not name.startswith(JOURNAL_PREFIX):
            self.damage -= 1
            raise DigestError("Damaged on the way.")
        if len(data) != size_bytes or hashlib.sha256(data).digest() != sha256:
            raise DigestError("Not what was announced.")
        known = self._of(name).get(name)
        if known is not None:
            if known != data:
                raise ObjectConflictError("Another one is there.")
            return PutOutcome.ALREADY
        self._of(name)[name] = data
        lost = "lose_record_replies" if name.startswith(JOURNAL_PREFIX) else "lose_replies"
        if left := getattr(self, lost):
            setattr(self, lost, left - 1)
            raise StoreAwayError("The reply was lost.", "It will be tried again.")
        return PutOutcome.STORED
