"""What a probe finds of servers that honour this and that, and that it leaves nothing behind."""

from __future__ import annotations

import http.client

import pytest

from storage.store.connection import S3Response
from storage.store.errors import StoreAwayError, StoreRefusedError
from storage.store.probe import probe_server
from storage.store.protocol import ObjectInfo


class Server:
    """A store in memory that honours what it is told to."""

    def __init__(self, *, create_only: bool = True, verifies: bool = True, keeps_hash: bool = True) -> None:
        self.create_only, self.verifies, self.keeps_hash = create_only, verifies, keeps_hash
        self.objects: dict[str, bytes] = {}
        self.hashes: dict[str, bytes] = {}
        self.broken_status = 0
        self.deleted: list[str] = []

    async def put_once(
        self, name: str, source: bytes, *, size_bytes: int, sha256: bytes, create_only: bool = True
    ) -> S3Response:
        if self.broken_status:
            return answer(self.broken_status)
        if self.create_only and name in self.objects:
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


def answer(status: int) -> S3Response:
    return S3Response(status=status, headers=http.client.HTTPMessage(), body=b"")


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
    found = await probe_server(server, versioning=versioning)
    assert (found.create_only, found.checksum, found.versioning) == (create_only, checksum, versioning)
    assert server.objects == {}


@pytest.mark.parametrize(("status", "error"), [(403, StoreRefusedError), (500, StoreAwayError)])
async def test_probe_of_a_server_that_cannot_be_written_is_an_error_and_still_cleans_up(
    status: int, error: type[Exception]
) -> None:
    server = Server()
    server.broken_status = status
    with pytest.raises(error):
        await probe_server(server, versioning=True)
    assert len(server.deleted) == 2


async def test_server_that_fails_at_the_wrong_hash_is_not_taken_to_verify() -> None:
    """500 says nothing about the hash."""

    class Failing(Server):
        async def put_once(
            self, name: str, source: bytes, *, size_bytes: int, sha256: bytes, create_only: bool = True
        ) -> S3Response:
            if sha256 == bytes(32):
                return answer(500)
            return await super().put_once(name, source, size_bytes=size_bytes, sha256=sha256)

    assert not (await probe_server(Failing(), versioning=True)).checksum
