"""Finds out by trying what a server honours: S3 servers differ from their documentation and between versions.

A server may ignore a header that it does not know, or refuse the whole request for it, with any status. It may also be
busy: the probe repeats requests that fail for a passing reason, and never takes such a failure for a property.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from itertools import combinations
from typing import Final, Protocol, TypeVar

from domain.errors import StorageError
from storage.store.connection import S3Response
from storage.store.errors import StoreAwayError
from storage.store.protocol import Capabilities, ObjectInfo
from storage.store.responses import error_message, exists_already, is_success, is_transient, response_error

OPTIONAL_HEADERS: Final = ("x-amz-checksum-sha256", "if-none-match", "content-type")
"""Headers of a PUT that the client can do without."""
_PAUSES_S: Final = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 3.2)
"""Between attempts at the same request. Roles that start together keep a busy server busy for some seconds."""

T = TypeVar("T")
Headers = frozenset[str]
Sleep = Callable[[float], Awaitable[None]]


class ProbeTarget(Protocol):
    """The methods of a store that the probe calls."""

    async def put_once(
        self, name: str, source: bytes, *, size_bytes: int, sha256: bytes, without: Headers = ...
    ) -> S3Response:
        """See ``S3Store``."""
        ...

    async def stat(self, name: str) -> ObjectInfo | None:
        """See ``ObjectStore``."""
        ...

    async def delete(self, name: str) -> None:
        """See ``ObjectStore``."""
        ...


async def probe_server(store: ProbeTarget, *, versioning: bool, sleep: Sleep = asyncio.sleep) -> Capabilities:
    """Put a few small objects under ``probe/``, compare what the server reports, and delete them.

    ``versioning``: what the bucket's configuration says. Raises the store's errors when it cannot write.
    """
    probe = _Probe(store, sleep)
    try:
        name, refused = await probe.acceptable_headers()
        second = await probe.put(name, without=refused)
        if not is_success(second) and not exists_already(second):
            raise response_error(second, name)
        reported = await _repeated(lambda: store.stat(name), sleep)
        wrong = await probe.put(probe.new_name(), without=refused, sha256=bytes(32))
    finally:
        await probe.clean_up()
    verifies = not is_success(wrong) and not is_transient(wrong) and OPTIONAL_HEADERS[0] not in refused
    return Capabilities(
        create_only=exists_already(second),
        checksum=verifies and reported is not None and reported.sha256 == probe.sha256,
        versioning=versioning,
        refused=refused,
    )


class _Probe:
    """The objects of one probe, all with the same body."""

    def __init__(self, store: ProbeTarget, sleep: Sleep) -> None:
        self._store, self._sleep = store, sleep
        self._prefix = f"probe/{os.urandom(16).hex()}"
        self._body = os.urandom(64)
        self._names: list[str] = []
        self.sha256 = hashlib.sha256(self._body).digest()

    def new_name(self) -> str:
        self._names.append(f"{self._prefix}-{len(self._names)}")
        return self._names[-1]

    async def put(self, name: str, *, without: Headers, sha256: bytes | None = None) -> S3Response:
        """Return the response to a PUT, the last one when it fails again and again for a passing reason."""
        for pause_s in (*_PAUSES_S, None):
            response = await _repeated(
                lambda: self._store.put_once(
                    name, self._body, size_bytes=len(self._body), sha256=sha256 or self.sha256, without=without
                ),
                self._sleep,
            )
            if pause_s is None or not is_transient(response):
                break
            await self._sleep(pause_s)
        return response

    async def acceptable_headers(self) -> tuple[str, Headers]:
        """Store an object. Return its name and the fewest headers that had to be left out."""
        everything: Headers = frozenset()
        name = self.new_name()
        full = await self.put(name, without=everything)
        if is_success(full):
            return name, everything
        if is_transient(full) and full.status != HTTPStatus.INTERNAL_SERVER_ERROR:
            raise response_error(full, name)
        for without in _fewest_first(error_message(full).lower()):
            name = self.new_name()
            if is_success(await self.put(name, without=without)) and await self._confirmed(everything, without):
                return name, without
        raise response_error(full, name)

    async def _confirmed(self, refused: Headers, accepted: Headers) -> bool:
        """Whether both outcomes repeat: a server that failed for a moment does not refuse headers."""
        again = await self.put(self.new_name(), without=refused)
        return not is_success(again) and is_success(await self.put(self.new_name(), without=accepted))

    async def clean_up(self) -> None:
        """Delete the objects. One that cannot be deleted stays: the outcome of the probe matters more."""
        for name in self._names:
            with suppress(StorageError):
                await self._store.delete(name)


def _fewest_first(message: str) -> Iterator[Headers]:
    """Yield the sets of headers to leave out: small ones first, and those first that the server's message names."""
    ordered = sorted(OPTIONAL_HEADERS, key=lambda header: header not in message)
    for count in range(1, len(ordered) + 1):
        yield from map(frozenset, combinations(ordered, count))


async def _repeated(call: Callable[[], Awaitable[T]], sleep: Sleep) -> T:
    """Return the result of ``call``, repeated while the store is away."""
    for pause_s in _PAUSES_S:
        with suppress(StoreAwayError):
            return await call()
        await sleep(pause_s)
    return await call()
