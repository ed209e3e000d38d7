"""A store that accepts everything and keeps nothing, for benchmarks that leave the store out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

from storage.store.errors import ObjectMissingError
from storage.store.protocol import Capabilities, ObjectInfo, PutOutcome


class NullStore:
    """An ObjectStore that counts what it receives. Its methods behave as those of an empty store."""

    def __init__(self) -> None:
        self.puts = 0
        self.bytes = 0

    async def put_new(self, name: str, source: Path | bytes, *, size_bytes: int, sha256: bytes) -> PutOutcome:
        """Count the object and drop it."""
        self.puts += 1
        self.bytes += size_bytes
        return PutOutcome.STORED

    async def get_range(self, name: str, start: int, end: int) -> bytes:
        """ObjectMissingError."""
        raise ObjectMissingError("This store keeps nothing.")

    async def stream_range(self, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """ObjectMissingError."""
        yield await self.get_range(name, start, end)

    async def stat(self, name: str) -> ObjectInfo | None:
        """None."""
        return None

    async def list(self, prefix: str, *, start_after: str = "") -> AsyncGenerator[ObjectInfo, None]:
        """Yield nothing."""
        nothing: tuple[ObjectInfo, ...] = ()
        for info in nothing:
            yield info

    async def delete(self, name: str) -> None:
        """Do nothing."""
        return

    async def ensure_bucket(self) -> None:
        """Do nothing."""
        return

    async def probe(self) -> Capabilities:
        """Report every capability."""
        return Capabilities(create_only=True, checksum=True, versioning=True)
