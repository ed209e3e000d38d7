"""The interface to the object store. Nothing outside storage/store uses more of S3 than this."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class PutOutcome(StrEnum):
    """Outcome of ``put_new()``. Either way the store now holds the object with the stated size and SHA-256."""

    STORED = "stored"
    ALREADY = "already"  # an earlier attempt stored it, and its response was lost


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """Metadata of an object, from a HEAD or a list."""

    name: str
    size_bytes: int
    sha256: bytes | None = None  # of the whole object; None: the store does not report it
    modified_ns: int | None = None  # by the store's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What this server honours, by ``probe()``. The client compensates for what is missing, or reports it."""

    create_only: bool  # If-None-Match: * refuses to overwrite
    checksum: bool  # the server verifies x-amz-checksum-sha256, keeps it and returns it
    versioning: bool  # the bucket keeps versions of overwritten and deleted objects
    refused: frozenset[str] = frozenset()  # headers for which the server refuses a whole PUT

    def missing(self) -> tuple[str, ...]:
        """Return a sentence for the operator about each missing capability."""
        sentences = []
        if not self.create_only:
            verb = "refuses" if "if-none-match" in self.refused else "ignores"
            sentences.append(
                f"The object store {verb} If-None-Match: Tallenne looks a name up before it writes, which does not"
                " protect against two writers at the same instant."
            )
        if not self.checksum:
            verb = "refuses" if "x-amz-checksum-sha256" in self.refused else "does not verify"
            sentences.append(
                f"The object store {verb} SHA-256 checksums: Tallenne reads every object back after writing."
            )
        if not self.versioning:
            sentences.append(
                "The bucket keeps no versions: its credentials are enough to delete footage irrecoverably."
                " Enable versioning, or object lock, if the server supports it."
            )
        return tuple(sentences)


class ObjectStore(Protocol):
    """One bucket. Every method raises the errors of storage/store/errors.py and no others.

    ``storage.sealed.object_name()`` builds the names of footage.
    """

    async def put_new(self, name: str, source: Path | bytes, *, size_bytes: int, sha256: bytes) -> PutOutcome:
        """Create an object, never overwrite one. On return the store holds it with this size and SHA-256.

        ``source``: a file's path, or the bytes. Repeatable: when a response was lost and the object exists with this
        size and hash, the result is ALREADY. ObjectConflictError: another object has the name. DigestError: the source
        differs from ``sha256`` or ``size_bytes``, or was damaged on the way.
        """
        ...

    async def get_range(self, name: str, start: int, end: int) -> bytes:
        """Return exactly bytes [start, end). ObjectMissingError; StoreProtocolError: the object is shorter."""
        ...

    def stream_range(self, name: str, start: int, end: int) -> AsyncGenerator[bytes | bytearray, None]:
        """Yield bytes [start, end) in pieces of at most 128 KiB, which belong to the caller. Errors as ``get_range()``.

        The stream occupies a connection: use ``aclosing`` unless you read to the end.
        """
        ...

    async def stat(self, name: str) -> ObjectInfo | None:
        """Return the object's size and, where the store reports it, its hash; None: there is no such object."""
        ...

    def list(self, prefix: str, *, start_after: str = "") -> AsyncGenerator[ObjectInfo, None]:
        """Yield objects whose names begin with ``prefix`` and sort after ``start_after``, in bytewise order."""
        ...

    async def delete(self, name: str) -> None:
        """Delete the object, if there is one."""
        ...

    async def ensure_bucket(self) -> None:
        """Create the bucket unless it exists."""
        ...

    async def probe(self) -> Capabilities:
        """Find out what the server honours, with small objects under ``probe/`` that are deleted afterwards."""
        ...
