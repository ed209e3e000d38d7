"""What the rest of Tallenne may ask of an object store, and nothing more."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Put(StrEnum):
    """What became of an object that was put. Either way it is there, with that size and that SHA-256."""

    STORED = "stored"
    ALREADY = "already"  # it was there already: an earlier reply was lost


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    name: str
    size_bytes: int
    sha256: bytes | None = None  # None: the store does not say
    modified_ns: int | None = None  # by the store's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What this server was seen to honour. What is missing is made up for, or said."""

    create_only: bool  # If-None-Match: *
    checksum: bool  # x-amz-checksum-sha256 is verified, kept and told
    versioning: bool

    def missing(self) -> tuple[str, ...]:
        """Sentences for the operator."""
        sentences = []
        if not self.create_only:
            sentences.append(
                "The object store overwrites in spite of If-None-Match: a name is looked up before it is written,"
                " which does not protect against two writers at the same instant."
            )
        if not self.checksum:
            sentences.append(
                "The object store does not verify SHA-256 checksums: every object is read back after writing."
            )
        if not self.versioning:
            sentences.append(
                "The bucket keeps no versions: whoever holds its credentials can delete footage for good."
                " Turn on versioning, or object lock, if the server has it."
            )
        return tuple(sentences)


class ObjectStore(Protocol):
    """One bucket. Names are made by storage.sealed.object_name(); all methods raise the errors of store.errors only."""

    async def put_new(self, name: str, source: Path | bytes, *, size_bytes: int, sha256: bytes) -> Put:
        """Create an object, never overwrite one; returns when the store holds it with this size and hash.

        Lost replies: when an object of that name exists, equal size and hash is success; anything else raises
        ObjectConflictError. DigestError: the source is not what ``sha256`` says, or was damaged on its way.
        """
        ...

    async def get_range(self, name: str, start: int, end: int) -> bytes:
        """Bytes [start, end), exactly. ObjectMissingError; StoreProtocolError when the object is shorter."""
        ...

    def stream_range(self, name: str, start: int, end: int) -> AsyncGenerator[bytes | bytearray, None]:
        """The same in pieces of at most 128 KiB. Close it (``aclosing``) when it is not read to its end."""
        ...

    async def stat(self, name: str) -> ObjectInfo | None:
        """Size and, where the store tells, hash; None: no such object."""
        ...

    def list(self, prefix: str, *, start_after: str = "") -> AsyncGenerator[ObjectInfo, None]:
        """Objects whose name begins with ``prefix``, in the order of their names (bytewise)."""
        ...

    async def delete(self, name: str) -> None:
        """Delete one object; none of that name is fine."""
        ...

    async def ensure_bucket(self) -> None:
        """Make the bucket when there is none."""
        ...

    async def probe(self) -> Abilities:
        """Try what the server honours, with small objects under ``probe/`` that are deleted afterwards."""
        ...
