"""What a server honours, found by trying: documentation and version numbers of S3 servers cannot be relied upon."""

from __future__ import annotations

import hashlib
import os
from http import HTTPStatus
from typing import Protocol

from storage.store.answers import error_of, exists_already
from storage.store.connection import Answer
from storage.store.protocol import Abilities, ObjectInfo


class Probed(Protocol):
    """What the probe needs of a store."""

    async def put_once(
        self, name: str, source: bytes, *, size_bytes: int, sha256: bytes, create_only: bool = True
    ) -> Answer: ...
    async def stat(self, name: str) -> ObjectInfo | None: ...
    async def delete(self, name: str) -> None: ...


async def probe_server(store: Probed, *, versioning: bool) -> Abilities:
    """Two small objects under ``probe/``, deleted afterwards. Raises the store's errors when it cannot be written."""
    name = f"probe/{os.urandom(16).hex()}"
    body = os.urandom(64)
    digest = hashlib.sha256(body).digest()
    try:
        first = await store.put_once(name, body, size_bytes=len(body), sha256=digest)
        if first.status not in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT):
            raise error_of(first, name)
        second = await store.put_once(name, body, size_bytes=len(body), sha256=digest)
        told = await store.stat(name)
        wrong = await store.put_once(f"{name}-wrong", body, size_bytes=len(body), sha256=bytes(32))
    finally:
        await store.delete(name)
        await store.delete(f"{name}-wrong")
    refused = HTTPStatus.BAD_REQUEST <= wrong.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return Abilities(
        create_only=exists_already(second),
        checksum=refused and told is not None and told.sha256 == digest,
        versioning=versioning,
    )
