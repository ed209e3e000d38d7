"""What a probe finds of servers that honour this and that, and that it leaves nothing behind."""

from __future__ import annotations

import http.client
from itertools import combinations

import pytest

from storage.store.connection import S3Response
from storage.store.errors import StoreAwayError, StoreRefusedError
from storage.store.probe import OPTIONAL_HEADERS, probe_server
from storage.store.protocol import Capabilities, ObjectInfo


class Server:
    """A store in memory that honours what it is told to."""

    def __init__(self, *, create_only: bool = True, verifies: bool = True, keeps_hash: bool = True) -> None:
        self.create_only, self.verifies, self.keeps_hash = create_only, verifies, keeps_hash
        self.objects: dict[str, bytes] = {}
        self.hashes: dict[str, bytes] = {}
        self.broken_status = 0
        self.refuses: frozenset[str] = frozenset()
        self.refusal, self.names_it = 400, False
        self.deleted: list[str] = []

    async def put_once(
        self, name: str, source: bytes, *, size_bytes: int, sha256: bytes, without: frozenset[str] = frozenset()
    ) -> S3Response:
        if self.broken_status:
            return answer(self.broken_status)
        if refused := self.refuses - without:
            return answer(self.refusal, f"Unsupported header '{min(refused)}'." if self.names_it else "")
        if self.create_only and "if-none-match" not in without and name in self.objects:
            return answer(412)
        if self.verifies and sha256 == bytes(32):
            return answer(400)
        self.objects[name], self.hashes[name] = source, sha256
        return answer(200)

    async def stat(self, name: str) -> ObjectInfo | None:
        if name not in self.objects:
            return None
        sha256 = self.hashes[name] if self.keeps_hash else None
        return ObjectInfo(name=name, size_bytes=len(self.objects[name]), sha256=sha256)

    async def delete(self, name: str) -> None:
        self.deleted.append(name)
        self.objects.pop(name, None)


def answer(status: int, message: str = "") -> S3Response:
    body = f"<Error><Code>X</Code><Message>{message}</Message></Error>".encode() if message else b""
    return S3Response(status=status, headers=http.client.HTTPMessage(), body=body)


async def no_pause(_: float) -> None:
    """Time does not matter here."""


async def probed(server: Server, *, versioning: bool = True) -> Capabilities:
    return await probe_server(server, versioning=versioning, sleep=no_pause)


@pytest.mark.parametrize(
    ("server", "create_only", "checksum"),
    [
        (Server(), True, True),
        (Server(create_only=False), False, True),
        (Server(verifies=False), True, False),
        (Server(keeps_hash=False), True, False),
        (Server(create_only=False, verifies=False, keeps_hash=False), False, False),
    ],
)
@pytest.mark.parametrize("versioning", [True, False])
async def test_probe_finds_what_the_server_honours(
    server: Server, create_only: bool, checksum: bool, versioning: bool
) -> None:
    found = await probed(server, versioning=versioning)
    assert (found.create_only, found.checksum, found.versioning) == (create_only, checksum, versioning)
    assert server.objects == {}


@pytest.mark.parametrize(("status", "error"), [(403, StoreRefusedError), (500, StoreAwayError)])
async def test_probe_of_a_server_that_cannot_be_written_is_an_error_and_still_cleans_up(
    status: int, error: type[Exception]
) -> None:
    server = Server()
    server.broken_status = status
    with pytest.raises(error):
        await probed(server)
    assert server.deleted


async def test_server_that_fails_at_the_wrong_hash_is_not_taken_to_verify() -> None:
    """500 says nothing about the hash."""

    class Failing(Server):
        async def put_once(
            self, name: str, source: bytes, *, size_bytes: int, sha256: bytes, without: frozenset[str] = frozenset()
        ) -> S3Response:
            if sha256 == bytes(32):
                return answer(500)
            return await super().put_once(name, source, size_bytes=size_bytes, sha256=sha256, without=without)

    assert not (await probed(Failing())).checksum


@pytest.mark.parametrize("status", [400, 403, 405, 500, 501])
@pytest.mark.parametrize("names_it", [True, False])
@pytest.mark.parametrize("count", [1, 2, 3])
async def test_headers_that_the_server_refuses_are_found_and_no_others(status: int, names_it: bool, count: int) -> None:
    for refused in map(frozenset, combinations(OPTIONAL_HEADERS, count)):
        server = Server()
        server.refuses, server.refusal, server.names_it = refused, status, names_it
        found = await probed(server)
        assert found.refused == refused
        assert found.create_only == ("if-none-match" not in refused)
        assert found.checksum == ("x-amz-checksum-sha256" not in refused)
        assert server.objects == {}


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_server_that_fails_now_and_then_is_taken_for_what_it_is(status: int) -> None:
    class Busy(Server):
        calls = 0

        async def put_once(
            self, name: str, source: bytes, *, size_bytes: int, sha256: bytes, without: frozenset[str] = frozenset()
        ) -> S3Response:
            self.calls += 1
            if self.calls % 3:
                return answer(status)
            return await super().put_once(name, source, size_bytes=size_bytes, sha256=sha256, without=without)

    found = await probed(Busy())
    assert (found.create_only, found.checksum, found.refused) == (True, True, frozenset())
