"""The object store over S3's protocol: data by our own connections, administration by `minio`."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from http import HTTPStatus
from http.client import HTTPResponse
from pathlib import Path

from runtime.settings import StoreSettings
from storage.store import admin
from storage.store.answers import checksum_in, error_code, error_of, exists_already, info_of
from storage.store.connection import Answer, Request
from storage.store.errors import (
    ObjectConflictError,
    StoreAwayError,
    StoreProtocolError,
)
from storage.store.pool import ConnectionPool
from storage.store.probe import probe_server
from storage.store.protocol import Abilities, ObjectInfo, Put
from storage.store.reading import PIECE_BYTES, Reading, Readings

_READ_STATUS = (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.OK)
_CALL_DEADLINE_S = 30.0
_SLOWEST_BYTES_PER_S = 64 * 1024
"""A transfer below this rate is given up and tried again later, so that it does not hold a place for hours."""


def _deadline_s(size_bytes: int) -> float:
    return _CALL_DEADLINE_S + size_bytes / _SLOWEST_BYTES_PER_S


class S3Store:
    """One bucket. ``abilities`` is None until ``probe()``: then the server is taken to honour what S3 documents."""

    def __init__(self, settings: StoreSettings, pool: ConnectionPool, readings: Readings) -> None:
        self._settings = settings
        self._pool, self._readings = pool, readings
        self._admin = admin.client_for(settings)
        self.abilities: Abilities | None = None

    async def put_new(self, name: str, source: Path | bytes, *, size_bytes: int, sha256: bytes) -> Put:
        abilities = self.abilities
        if abilities is not None and not abilities.create_only and await self.stat(name) is not None:
            await self._check_same(name, size_bytes, sha256)
            return Put.ALREADY
        answer = await self.put_once(name, source, size_bytes=size_bytes, sha256=sha256)
        if exists_already(answer):
            await self._check_same(name, size_bytes, sha256)
            return Put.ALREADY
        if answer.status not in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT):
            raise error_of(answer, name)
        if not self._settings.null and not self._verified(answer, sha256):
            await self._check_same(name, size_bytes, sha256)
        return Put.STORED

    def _verified(self, answer: Answer, sha256: bytes) -> bool:
        """Whether the server compared the hash; before ``probe()`` that is believed of one that repeats it."""
        return checksum_in(answer) == sha256 if self.abilities is None else self.abilities.checksum

    async def put_once(
        self, name: str, source: Path | bytes, *, size_bytes: int, sha256: bytes, create_only: bool = True
    ) -> Answer:
        """One PUT, whatever its answer; the hash is stated twice, neither time computed."""
        headers = {
            "content-type": "application/octet-stream",
            "x-amz-checksum-sha256": base64.b64encode(sha256).decode(),
        }
        if create_only:
            headers["if-none-match"] = "*"
        request = Request(
            method="PUT",
            name=name,
            headers=headers,
            body=source,
            size_bytes=size_bytes,
            payload_sha256=sha256.hex(),
        )
        return await self._pool.run(lambda connection: connection.exchange(request), deadline_s=_deadline_s(size_bytes))

    async def get_range(self, name: str, start: int, end: int) -> bytes:
        try:
            async with (
                asyncio.timeout(_deadline_s(end - start)),
                aclosing(self.stream_range(name, start, end)) as pieces,
            ):
                return b"".join([piece async for piece in pieces])
        except TimeoutError as exc:
            raise StoreAwayError("The object store is too slow.", "It will be tried again.") from exc

    async def stream_range(self, name: str, start: int, end: int) -> AsyncGenerator[bytes | bytearray, None]:
        if start >= end:
            return
        request = _get(name, start, end)
        async with AsyncExitStack() as stack:
            reading = await stack.enter_async_context(self._readings.answer(request))
            if reading.plain:
                _check_extent(reading, start, end)
                left = end - start
                while left:
                    piece = await reading.piece(_deadline_s(PIECE_BYTES))
                    left -= len(piece)
                    if not left:
                        await stack.aclose()  # whoever takes his time with the last piece holds nobody up
                    yield piece
                return
        async with aclosing(self._by_thread(request, start, end)) as pieces:
            async for one in pieces:
                yield one

    async def _by_thread(self, request: Request, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """However the server answers: errors, answers without a length."""
        async with self._pool.lent() as loan:
            response = await loan.run(lambda connection: connection.begin(request), deadline_s=_CALL_DEADLINE_S)
            if response.status not in _READ_STATUS:
                body = await loan.run(lambda _: response.read(1 << 16), deadline_s=_CALL_DEADLINE_S)
                raise error_of(Answer(status=response.status, headers=response.headers, body=body), request.name)
            _check_extent(response, start, end)
            left = end - start
            while left:
                piece = await loan.run(lambda _: response.read(PIECE_BYTES), deadline_s=_deadline_s(PIECE_BYTES))
                if not piece:
                    raise StoreAwayError("The object store broke off.", "It will be tried again.")
                left -= len(piece)
                yield piece
            loan.keep()

    async def stat(self, name: str) -> ObjectInfo | None:
        request = Request(method="HEAD", name=name, headers={"x-amz-checksum-mode": "ENABLED"})
        answer = await self._pool.run(lambda connection: connection.exchange(request), deadline_s=_CALL_DEADLINE_S)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise error_of(answer, name)
        return info_of(answer, name)

    def list(self, prefix: str, *, start_after: str = "") -> AsyncGenerator[ObjectInfo, None]:
        return admin.list_objects(self._admin, self._settings.bucket, prefix, start_after)

    async def delete(self, name: str) -> None:
        request = Request(method="DELETE", name=name, headers={})
        answer = await self._pool.run(lambda connection: connection.exchange(request), deadline_s=_CALL_DEADLINE_S)
        gone = answer.status == HTTPStatus.NOT_FOUND and error_code(answer) != "NoSuchBucket"
        if not gone and answer.status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            raise error_of(answer, name)

    async def ensure_bucket(self) -> None:
        await asyncio.to_thread(admin.ensure_bucket, self._admin, self._settings)

    async def probe(self) -> Abilities:
        versioning = await asyncio.to_thread(admin.keeps_versions, self._admin, self._settings.bucket)
        self.abilities = await probe_server(self, versioning=versioning)
        return self.abilities

    async def _check_same(self, name: str, size_bytes: int, sha256: bytes) -> None:
        """ObjectConflictError unless the object has this size and hash; read in full when the store does not tell."""
        info = await self.stat(name)
        if info is None:
            raise StoreAwayError(f"The object store says that {name} exists and that it does not.", "Tried again.")
        trusted = self.abilities is None or self.abilities.checksum
        told = info.sha256 if trusted else None
        if info.size_bytes == size_bytes and (told or await self._sha256_of(name, size_bytes)) == sha256:
            return
        raise ObjectConflictError(
            f"The object {name} exists already, with another size or hash.",
            "Nothing was overwritten. Somebody else wrote to the bucket: run `tallenne reconcile`.",
        )

    async def _sha256_of(self, name: str, size_bytes: int) -> bytes:
        digest = hashlib.sha256()
        async with aclosing(self.stream_range(name, 0, size_bytes)) as pieces:
            async for piece in pieces:
                digest.update(piece)
        return digest.digest()


def _get(name: str, start: int, end: int) -> Request:
    return Request(method="GET", name=name, headers={"range": f"bytes={start}-{end - 1}"})


def _check_extent(response: HTTPResponse | Reading, start: int, end: int) -> None:
    """The answer must be exactly what was asked for: some servers answer a whole object, or a shorter range."""
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        if not response.headers.get("content-range", "").startswith(f"bytes {start}-{end - 1}/"):
            raise StoreProtocolError(f"The object store sent another range than {start}-{end - 1}.")
    elif (start, response.length) != (0, end):
        raise StoreProtocolError("The object store ignores ranges.")
    if response.length is not None and response.length != end - start:
        raise StoreProtocolError(f"The object store sent {response.length} bytes for {start}-{end - 1}.")
