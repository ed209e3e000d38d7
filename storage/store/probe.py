"""Finds out by trying what a server honours: S3 servers differ from their documentation and between versions."""

from __future__ import annotations

import hashlib
import os
from http import HTTPStatus
from typing import Protocol

from storage.store.connection import S3Response
from storage.store.protocol import Capabilities, ObjectInfo
from storage.store.responses import exists_already, response_error


class ProbeTarget(Protocol):
    """The methods of a store that the probe calls."""

    async def put_once(
        self, name: str, source: bytes, *, size_bytes: int, sha256: bytes, create_only: bool = True
    ) -> S3Response:
        """See ``S3Store``."""
        ...

    async def stat(self, name: str) -> ObjectInfo | None:
        """See ``ObjectStore``."""
        ...

    async def delete(self, name: str) -> None:
        """See ``ObjectStore``."""
        ...


async def probe_server(store: ProbeTarget, *, versioning: bool) -> Capabilities:
    """Put two small objects under ``probe/``, compare what the server reports, and delete them.

    ``versioning``: what the bucket's configuration says. Raises the store's errors when it cannot write.
    """
    name = f"probe/{os.urandom(16).hex()}"
    body = os.urandom(64)
    digest = hashlib.sha256(body).digest()
    try:
        first = await store.put_once(name, body, size_bytes=len(body), sha256=digest)
        if first.status not in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT):
            raise response_error(first, name)
        second = await store.put_once(name, body, size_bytes=len(body), sha256=digest)
        reported = await store.stat(name)
        wrong = await store.put_once(f"{name}-wrong", body, size_bytes=len(body), sha256=bytes(32))
    finally:
        await store.delete(name)
        await store.delete(f"{name}-wrong")
    refused = HTTPStatus.BAD_REQUEST <= wrong.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return Capabilities(
        create_only=exists_already(second),
        checksum=refused and reported is not None and reported.sha256 == digest,
        versioning=versioning,
    )
