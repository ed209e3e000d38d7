"""The object store over S3's protocol, through this package's connections."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, suppress
from functools import partial
from http import HTTPStatus
from http.client import HTTPResponse
from pathlib import Path

from domain.errors import StorageError
from runtime.settings import StoreSettings
from storage.store import bucket
from storage.store.connection import S3Request, S3Response
from storage.store.errors import (
    ObjectConflictError,
    StoreAwayError,
    StoreProtocolError,
    StoreRefusedError,
)
from storage.store.pool import ConnectionPool
from storage.store.probe import probe_server
from storage.store.protocol import Capabilities, ObjectInfo, PutOutcome
from storage.store.range_connection import PIECE_BYTES, RangeConnection, RangePool
from storage.store.responses import (
    checksum_in,
    error_code,
    exists_already,
    is_success,
    object_info,
    response_error,
)

_READ_STATUS = (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.OK)
_CALL_DEADLINE_S = 30.0
_PROBE_AGAIN_S = 60.0
"""A server that refuses requests is probed at most this often."""
_SLOWEST_BYTES_PER_S = 64 * 1024
"""A slower transfer is cancelled and tried again later, so that it does not occupy a connection for hours."""


def _deadline_s(size_bytes: int) -> float:
    """Seconds that a transfer of this size may take."""
    return _CALL_DEADLINE_S + size_bytes / _SLOWEST_BYTES_PER_S


class S3Store:
    """An ObjectStore in one bucket; its methods are documented there.

    ``capabilities`` is None until ``probe()``. Until then this class assumes that the server behaves as S3 documents.
    """

    def __init__(self, settings: StoreSettings, pool: ConnectionPool, ranges: RangePool) -> None:
        self._settings = settings
        self._pool, self._ranges = pool, ranges
        self.capabilities: Capabilities | None = None
        self._probing = asyncio.Lock()
        self._probed_s = -_PROBE_AGAIN_S
        self._asks_checksum = True  # in a HEAD

    async def put_new(self, name: str, source: Path | bytes, *, size_bytes: int, sha256: bytes) -> PutOutcome:
        """See ``ObjectStore``. A server that refuses the request may refuse one of its headers: it is probed, once."""
        try:
            return await self._put_new(name, source, size_bytes=size_bytes, sha256=sha256)
        except (StoreProtocolError, StoreRefusedError) as error:
            if not await self._probed_again():
                raise error
        return await self._put_new(name, source, size_bytes=size_bytes, sha256=sha256)

    async def _probed_again(self) -> bool:
        """Probe, unless that has just been done. Whether the capabilities are newer than the call."""
        called_s = time.monotonic()
        async with self._probing:
            if self._probed_s < called_s - _PROBE_AGAIN_S:
                self._probed_s = called_s - 1  # also when it fails
                with suppress(StorageError):
                    await self.probe()
            return self._probed_s >= called_s

    async def _put_new(self, name: str, source: Path | bytes, *, size_bytes: int, sha256: bytes) -> PutOutcome:
        capabilities = self.capabilities
        if capabilities is not None and not capabilities.create_only and await self.stat(name) is not None:
            await self._check_same(name, size_bytes, sha256)
            return PutOutcome.ALREADY
        without = frozenset() if capabilities is None else capabilities.refused
        response = await self.put_once(name, source, size_bytes=size_bytes, sha256=sha256, without=without)
        if exists_already(response):
            await self._check_same(name, size_bytes, sha256)
            return PutOutcome.ALREADY
        if not is_success(response):
            raise response_error(response, name, now_s=time.time())
        if not self._settings.null and not self._verified(response, sha256):
            await self._check_same(name, size_bytes, sha256)
        return PutOutcome.STORED

    def _verified(self, response: S3Response, sha256: bytes) -> bool:
        """Whether the server verified the hash. Before ``probe()``: whether its response repeats the hash."""
        return checksum_in(response) == sha256 if self.capabilities is None else self.capabilities.checksum

    async def put_once(
        self, name: str, source: Path | bytes, *, size_bytes: int, sha256: bytes, without: frozenset[str] = frozenset()
    ) -> S3Response:
        """Send one PUT, leaving out the headers in ``without``, and return its response, whatever the status.

        States the hash twice and computes it neither time: base64 as the checksum that the store verifies and keeps,
        hex as the signed payload hash.
        """
        headers = {
            "content-type": "application/octet-stream",
            "x-amz-checksum-sha256": base64.b64encode(sha256).decode(),
            "if-none-match": "*",
        }
        request = S3Request(
            method="PUT",
            name=name,
            headers={header: value for header, value in headers.items() if header not in without},
            body=source,
            size_bytes=size_bytes,
            payload_sha256=sha256.hex(),
        )
        return await self._pool.run(lambda connection: connection.exchange(request), deadline_s=_deadline_s(size_bytes))

    async def get_range(self, name: str, start: int, end: int) -> bytes:
        """See ``ObjectStore``."""
        try:
            async with (
                asyncio.timeout(_deadline_s(end - start)),
                aclosing(self.stream_range(name, start, end)) as pieces,
            ):
                return b"".join([piece async for piece in pieces])
        except TimeoutError as exc:
            raise StoreAwayError("The object store is too slow.", "Tallenne will try again.") from exc

    async def stream_range(self, name: str, start: int, end: int) -> AsyncGenerator[bytes | bytearray, None]:
        """See ``ObjectStore``."""
        if start >= end:
            return
        request = _get(name, start, end)
        async with AsyncExitStack() as stack:
            ranges = await stack.enter_async_context(self._ranges.exchange(request))
            if ranges.plain:
                _check_extent(ranges, start, end)
                left = end - start
                while left:
                    piece = await ranges.piece(_deadline_s(PIECE_BYTES))
                    left -= len(piece)
                    if not left:
                        await stack.aclose()  # a slow consumer of the last piece then holds no connection
                    yield piece
                return
        async with aclosing(self._by_thread(request, start, end)) as pieces:
            async for one in pieces:
                yield one

    async def _by_thread(self, request: S3Request, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Read the range through ``http.client``: for errors and for responses without a content-length."""
        async with self._pool.lease() as lease:
            response = await lease.run(lambda connection: connection.begin(request), deadline_s=_CALL_DEADLINE_S)
            if response.status not in _READ_STATUS:
                body = await lease.run(lambda _: response.read(1 << 16), deadline_s=_CALL_DEADLINE_S)
                refused = S3Response(status=response.status, headers=response.headers, body=body)
                raise response_error(refused, request.name, now_s=time.time())
            _check_extent(response, start, end)
            left = end - start
            while left:
                piece = await lease.run(lambda _: response.read(PIECE_BYTES), deadline_s=_deadline_s(PIECE_BYTES))
                if not piece:
                    raise StoreAwayError("The object store's response ends early.", "Tallenne will try again.")
                left -= len(piece)
                yield piece
            lease.keep()

    async def stat(self, name: str) -> ObjectInfo | None:
        """See ``ObjectStore``. A server may refuse to be asked for the checksum: it is then asked without."""
        asked = self._asks_checksum  # another call may find out meanwhile that the server refuses it
        response = await self._head(name, asks_checksum=asked)
        if asked and not _is_conclusive(response):
            plain = await self._head(name, asks_checksum=False)
            if _is_conclusive(plain):
                # Once more: the fault may have been a passing one.
                self._asks_checksum = _is_conclusive(await self._head(name, asks_checksum=True))
                response = plain
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if response.status != HTTPStatus.OK:
            raise response_error(response, name, now_s=time.time())
        return object_info(response, name)

    async def _head(self, name: str, *, asks_checksum: bool) -> S3Response:
        headers = {"x-amz-checksum-mode": "ENABLED"} if asks_checksum else {}
        request = S3Request(method="HEAD", name=name, headers=headers)
        return await self._pool.run(lambda connection: connection.exchange(request), deadline_s=_CALL_DEADLINE_S)

    async def list(self, prefix: str, *, start_after: str = "") -> AsyncGenerator[ObjectInfo, None]:
        """See ``ObjectStore``."""
        token: str | None = None
        while True:
            page = await self._pool.run(
                partial(bucket.list_page, prefix=prefix, start_after=start_after, token=token),
                deadline_s=_CALL_DEADLINE_S,
            )
            for info in page.objects:
                yield info
            token = page.token
            if token is None:
                return

    async def delete(self, name: str) -> None:
        """See ``ObjectStore``."""
        request = S3Request(method="DELETE", name=name, headers={})
        response = await self._pool.run(lambda connection: connection.exchange(request), deadline_s=_CALL_DEADLINE_S)
        gone = response.status == HTTPStatus.NOT_FOUND and error_code(response) != "NoSuchBucket"
        if not gone and response.status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            raise response_error(response, name, now_s=time.time())

    async def ensure_bucket(self) -> None:
        """See ``ObjectStore``."""
        create = partial(bucket.ensure_bucket, region=self._settings.region)
        await self._pool.run(create, deadline_s=_CALL_DEADLINE_S)

    async def probe(self) -> Capabilities:
        """See ``ObjectStore``. Sets ``capabilities``."""
        versioning = await self._pool.run(bucket.keeps_versions, deadline_s=_CALL_DEADLINE_S)
        self.capabilities = await probe_server(self, versioning=versioning)
        self._probed_s = time.monotonic()
        return self.capabilities

    async def _check_same(self, name: str, size_bytes: int, sha256: bytes) -> None:
        """ObjectConflictError unless the object has this size and hash.

        Reads the object in full when the store does not report a hash that it verified.
        """
        info = await self.stat(name)
        if info is None:
            raise StoreAwayError(
                f"The object store reports that {name} exists and that it does not.", "Tallenne will try again."
            )
        trusted = self.capabilities is None or self.capabilities.checksum
        reported = info.sha256 if trusted else None
        if info.size_bytes == size_bytes and (reported or await self._sha256_of(name, size_bytes)) == sha256:
            return
        raise ObjectConflictError(
            f"The object {name} exists already, with another size or hash.",
            "Tallenne did not overwrite it. Another program wrote to the bucket: run `tallenne reconcile`.",
        )

    async def _sha256_of(self, name: str, size_bytes: int) -> bytes:
        digest = hashlib.sha256()
        async with aclosing(self.stream_range(name, 0, size_bytes)) as pieces:
            async for piece in pieces:
                digest.update(piece)
        return digest.digest()


def _is_conclusive(response: S3Response) -> bool:
    """Whether the response to a HEAD says if the object exists."""
    return is_success(response) or response.status == HTTPStatus.NOT_FOUND


def _get(name: str, start: int, end: int) -> S3Request:
    return S3Request(method="GET", name=name, headers={"range": f"bytes={start}-{end - 1}"})


def _check_extent(response: HTTPResponse | RangeConnection, start: int, end: int) -> None:
    """StoreProtocolError unless the response covers exactly [start, end).

    Some servers return the whole object, others a shorter range. rclone's answers a range with 200 and names it.
    """
    extent = response.headers.get("content-range", "")
    if response.status == HTTPStatus.PARTIAL_CONTENT or extent:
        if not extent.startswith(f"bytes {start}-{end - 1}/"):
            raise StoreProtocolError(f"The object store sent another range than {start}-{end - 1}.")
    elif (start, response.length) != (0, end):
        raise StoreProtocolError("The object store ignores ranges.")
    if response.length is not None and response.length != end - start:
        raise StoreProtocolError(f"The object store sent {response.length} bytes for {start}-{end - 1}.")
