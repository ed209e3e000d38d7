"""The S3 store's decisions, against a server that answers as it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from storage.store import Capabilities, PutOutcome, open_store
from storage.store.errors import (
    DigestError,
    ObjectConflictError,
    ObjectMissingError,
    StoreAwayError,
    StoreProtocolError,
    StoreRefusedError,
)
from storage.store.s3 import S3Store
from tests.support.faults.scripted_server import Received, ScriptedServer, response, scripted_server

DATA = b"footage" * 100
SHA256 = hashlib.sha256(DATA).digest()
CHECKSUM = base64.b64encode(SHA256).decode()
Script = dict[str, Callable[[Received], bytes]]


def ranged(request: Received) -> bytes:
    start, end = (int(part) for part in request.headers["range"].removeprefix("bytes=").split("-"))
    return response(206, DATA[start : end + 1], content_range=f"bytes {start}-{end}/{len(DATA)}")


def head(size: int = len(DATA), checksum: str = "") -> bytes:
    fields = f"x-amz-checksum-sha256: {checksum}\r\n" if checksum else ""
    return f"HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n{fields}\r\n".encode()


@asynccontextmanager
async def store_that(script: Script) -> AsyncIterator[tuple[S3Store, ScriptedServer]]:
    with scripted_server(lambda request: script[request.method](request)) as server:
        async with open_store(server.settings) as store:
            assert isinstance(store, S3Store)
            yield store, server


async def put(store: S3Store) -> PutOutcome:
    return await store.put_new("a", DATA, size_bytes=len(DATA), sha256=SHA256)


async def test_put_states_the_hash_twice_and_never_overwrites() -> None:
    script: Script = {"PUT": lambda _: response(200, x_amz_checksum_sha256=CHECKSUM)}
    async with store_that(script) as (store, server):
        assert await put(store) is PutOutcome.STORED
    (request,) = server.requests
    assert request.body == DATA
    assert request.headers["if-none-match"] == "*"
    assert request.headers["x-amz-checksum-sha256"] == CHECKSUM
    assert request.headers["x-amz-content-sha256"] == SHA256.hex()


async def test_put_that_the_server_does_not_confirm_is_read_back() -> None:
    script: Script = {"PUT": lambda _: response(200), "HEAD": lambda _: head(), "GET": ranged}
    async with store_that(script) as (store, server):
        assert await put(store) is PutOutcome.STORED
        assert server.methods == ["PUT", "HEAD", "GET"]
        store.capabilities = Capabilities(create_only=True, checksum=True, versioning=True)
        assert await put(store) is PutOutcome.STORED
        assert server.methods[3:] == ["PUT"]  # a server that verifies need not say so each time


@pytest.mark.parametrize("status", [412, 409])
@pytest.mark.parametrize(
    ("stated", "methods"),
    [(CHECKSUM, ["PUT", "HEAD"]), ("", ["PUT", "HEAD", "GET"]), (CHECKSUM + "-3", ["PUT", "HEAD", "GET"])],
)
async def test_object_that_exists_already_is_success_when_it_is_the_same(
    status: int, stated: str, methods: list[str]
) -> None:
    script: Script = {"PUT": lambda _: response(status), "HEAD": lambda _: head(checksum=stated), "GET": ranged}
    async with store_that(script) as (store, server):
        assert await put(store) is PutOutcome.ALREADY
        assert server.methods == methods


async def test_hash_that_the_server_states_without_verifying_is_not_believed() -> None:
    script: Script = {"PUT": lambda _: response(412), "HEAD": lambda _: head(checksum=CHECKSUM), "GET": ranged}
    async with store_that(script) as (store, server):
        store.capabilities = Capabilities(create_only=True, checksum=False, versioning=True)
        assert await put(store) is PutOutcome.ALREADY
        assert server.methods == ["PUT", "HEAD", "GET"]


async def test_other_object_of_that_name_is_a_conflict() -> None:
    other = base64.b64encode(bytes(32)).decode()
    for found in (head(size=len(DATA) + 1, checksum=CHECKSUM), head(checksum=other)):
        async with store_that({"PUT": lambda _: response(412), "HEAD": lambda _, f=found: f}) as (store, _):  # type: ignore[misc]
            with pytest.raises(ObjectConflictError):
                await put(store)


async def test_object_that_exists_and_does_not_is_tried_again() -> None:
    async with store_that({"PUT": lambda _: response(412), "HEAD": lambda _: response(404)}) as (store, _):
        with pytest.raises(StoreAwayError):
            await put(store)


async def test_server_that_overwrites_is_asked_before_each_put() -> None:
    exists = False
    script: Script = {
        "PUT": lambda _: response(200, x_amz_checksum_sha256=CHECKSUM),
        "HEAD": lambda _: head(checksum=CHECKSUM) if exists else response(404),
    }
    async with store_that(script) as (store, server):
        store.capabilities = Capabilities(create_only=False, checksum=True, versioning=True)
        assert await put(store) is PutOutcome.STORED
        exists = True
        assert await put(store) is PutOutcome.ALREADY
        assert server.methods == ["HEAD", "PUT", "HEAD", "HEAD"]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "BadDigest", DigestError),
        (403, "AccessDenied", StoreRefusedError),
        (503, "SlowDown", StoreAwayError),
        (301, "PermanentRedirect", StoreRefusedError),
    ],
)
async def test_put_that_fails_raises_what_the_response_means(status: int, code: str, error: type[Exception]) -> None:
    body = f"<Error><Code>{code}</Code></Error>".encode()
    async with store_that({"PUT": lambda _: response(status, body)}) as (store, _):
        with pytest.raises(error, match=code):
            await put(store)


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0, len(DATA)), (5, 6), (len(DATA) - 1, len(DATA))])
async def test_range_is_exactly_what_was_asked_for(start: int, end: int) -> None:
    async with store_that({"GET": ranged}) as (store, server):
        assert await store.get_range("a", start, end) == DATA[start:end]
        assert server.requests[0].headers["range"] == f"bytes={start}-{end - 1}"


async def test_empty_range_asks_nobody() -> None:
    async with store_that({}) as (store, server):
        assert await store.get_range("a", 5, 5) == b""
        assert await store.get_range("a", 5, 3) == b""
        assert server.requests == []


@pytest.mark.parametrize(
    "wrong",
    [
        response(200, DATA[:3]),  # the whole object, cut
        response(206, DATA[2:5], content_range=f"bytes 1-3/{len(DATA)}"),
        response(206, DATA[2:5]),
        response(206, DATA[2:4], content_range=f"bytes 2-4/{len(DATA)}"),
    ],
)
async def test_response_for_another_range_is_refused(wrong: bytes) -> None:
    async with store_that({"GET": lambda _: wrong}) as (store, _):
        with pytest.raises(StoreProtocolError):
            await store.get_range("a", 2, 5)


async def test_whole_object_is_taken_where_it_was_asked_for() -> None:
    async with store_that({"GET": lambda _: response(200, DATA)}) as (store, _):
        assert await store.get_range("a", 0, len(DATA)) == DATA


async def test_failed_range_is_asked_again_for_its_reason() -> None:
    """The event loop's client reads plain answers only: the reason comes by the thorough one."""
    body = b"<Error><Code>NoSuchKey</Code></Error>"
    async with store_that({"GET": lambda _: response(404, body)}) as (store, server):
        with pytest.raises(ObjectMissingError, match="NoSuchKey"):
            await store.get_range("a", 0, 1)
        assert server.methods == ["GET", "GET"]


async def test_range_that_ends_early_without_a_length_is_tried_again() -> None:
    cut = b"HTTP/1.1 206 P\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes 0-9/700\r\n\r\n5\r\n12345\r\n0\r\n\r\n"
    async with store_that({"GET": lambda _: cut}) as (store, _), aclosing(store.stream_range("a", 0, 10)) as pieces:
        assert await anext(pieces) == b"12345"
        with pytest.raises(StoreAwayError, match="ends early"):
            await anext(pieces)


async def test_stat_gives_size_and_a_hash_of_the_whole() -> None:
    async with store_that({"HEAD": lambda _: head(77, CHECKSUM)}) as (store, server):
        info = await store.stat("a")
        assert info is not None
        assert (info.name, info.size_bytes, info.sha256) == ("a", 77, SHA256)
        assert server.requests[0].headers["x-amz-checksum-mode"] == "ENABLED"
    async with store_that({"HEAD": lambda _: response(404)}) as (store, _):
        assert await store.stat("a") is None
    async with store_that({"HEAD": lambda _: response(403)}) as (store, _):
        with pytest.raises(StoreRefusedError):
            await store.stat("a")


async def test_calls_at_once_all_do_without_the_checksum_that_a_server_refuses() -> None:
    """One of them finds out while the others wait for their answers."""

    def answer(request: Received) -> bytes:
        return response(400) if "x-amz-checksum-mode" in request.headers else head(77)

    async with store_that({"HEAD": answer}) as (store, _):
        found = await asyncio.gather(*(store.stat(name) for name in "abcdefgh"))
        assert [info and info.size_bytes for info in found] == [77] * 8


async def test_delete_of_what_is_not_there_is_fine_and_of_a_missing_bucket_is_not() -> None:
    for done in (response(204), response(200), response(404), response(404, b"<Code>NoSuchKey</Code>")):
        async with store_that({"DELETE": lambda _, d=done: d}) as (store, _):  # type: ignore[misc]
            await store.delete("a")
    async with store_that({"DELETE": lambda _: response(404, b"<Code>NoSuchBucket</Code>")}) as (store, _):
        with pytest.raises(StoreRefusedError):
            await store.delete("a")
    async with store_that({"DELETE": lambda _: response(403)}) as (store, _):
        with pytest.raises(StoreRefusedError):
            await store.delete("a")
