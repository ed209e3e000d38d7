"""A store that accepts everything and keeps nothing. For benchmarks that measure all but the store."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

from storage.store.errors import ObjectMissingError
from storage.store.protocol import Abilities, ObjectInfo, Put


class NullStore:
    """Counts what it is given."""

    def __init__(self) -> None:
        self.puts = 0
        self.bytes = 0

    async def put_new(self, name: str, source: Path | bytes, *, size_bytes: int, sha256: bytes) -> Put:
        self.puts += 1
        self.bytes += size_bytes
        return Put.STORED

    async def get_range(self, name: str, start: int, end: int) -> bytes:
        raise ObjectMissingError("This store keeps nothing.")

    async def stream_range(self, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        yield await self.get_range(name, start, end)

    async def stat(self, name: str) -> ObjectInfo | None:
        return None

    async def list(self, prefix: str, *, start_after: str = "") -> AsyncGenerator[ObjectInfo, None]:
        nothing: tuple[ObjectInfo, ...] = ()
        for info in nothing:
            yield info

    async def delete(self, name: str) -> None:
        return None

    async def ensure_bucket(self) -> None:
        return None

    async def probe(self) -> Abilities:
        return Abilities(create_only=True, checksum=True, versioning=True)
