"""Ranges read by the event loop, from a server that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
import uvloop

from runtime.settings import StoreSettings
from storage.store import open_store
from storage.store.errors import StoreAwayError, StoreProtocolError
from storage.store.protocol import ObjectStore
from storage.store.range_connection import PIECE_BYTES

DATA = bytes(range(256)) * 8192  # 2 MiB: sixteen pieces
Answer = Callable[[int, int], tuple[bytes, bytes]]


@asynccontextmanager
async def store_that(*answers: Answer) -> AsyncIterator[tuple[ObjectStore, list[int]]]:
    """The store, and the number of requests of each connection. The last answer goes on."""
    left, connections = list(answers), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = len(connections)
        connections.append(0)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                connections[mine] += 1
                start, end = head.partition("range: bytes=")[2].partition("\r")[0].split("-")
                said, body = (left.pop(0) if len(left) > 1 else left[0])(int(start), int(end) + 1)
                writer.write(said + body)
                await writer.drain()
                if b"close" in said:
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = StoreSettings(endpoint=f"127.0.0.1:{port}", secure=False, bucket="b", access_key="k", secret_key="s" * 8)
    async with open_store(settings) as store:
        yield store, connections
    server.close()


def right(start: int, end: int, more: str = "") -> tuple[bytes, bytes]:
    head = f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{end - 1}/{len(DATA)}\r\n{more}"
    return f"{head}Content-Length: {end - start}\r\n\r\n".encode(), DATA[start:end]


def chunked(start: int, end: int) -> tuple[bytes, bytes]:
    head, body = right(start, end)
    head = head.replace(f"Content-Length: {end - start}".encode(), b"Transfer-Encoding: chunked")
    return head, b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


def short(start: int, end: int) -> tuple[bytes, bytes]:
    head, body = right(start, end, "S3Connection: close\r\n")
    return head, body[:-1]


def long(start: int, end: int) -> tuple[bytes, bytes]:
    head, body = right(start, end)
    return head, body + b"more"


def other(start: int, end: int) -> tuple[bytes, bytes]:
    head, body = right(start, end)
    return head.replace(f"Content-Length: {end - start}".encode(), f"Content-Length: {end - start - 1}".encode()), body


async def test_reader_that_takes_its_time_gets_every_byte_and_the_server_is_held_up() -> None:
    async with store_that(right) as (store, connections):
        got, pieces = bytearray(), 0
        async with aclosing(store.stream_range("name", 5, len(DATA) - 7)) as stream:
            async for piece in stream:
                await asyncio.sleep(0.005)
                assert len(piece) <= PIECE_BYTES
                got += piece
                pieces += 1
        assert bytes(got) == DATA[5:-7]
        assert pieces > 10
        assert await store.get_range("name", 3, 9) == DATA[3:9]
        assert connections == [2]  # the same one


async def test_connection_serves_others_while_somebody_looks_at_the_last_piece() -> None:
    async with store_that(right) as (store, connections), aclosing(store.stream_range("name", 0, 100)) as stream:
        assert bytes(await anext(stream)) == DATA[:100]
        assert await store.get_range("name", 0, 4) == DATA[:4]
        assert connections == [2]


async def test_answer_without_a_length_is_left_to_the_thorough_client() -> None:
    async with store_that(chunked) as (store, connections):
        assert await store.get_range("name", 10, 300_000) == DATA[10:300_000]
        assert connections == [1, 1]


@pytest.mark.parametrize(("answer", "error"), [(short, StoreAwayError), (other, StoreProtocolError)])
async def test_answer_that_is_not_what_was_asked_for_is_an_error(answer: Answer, error: type[Exception]) -> None:
    async with store_that(answer, right) as (store, _):
        with pytest.raises(error):
            await store.get_range("name", 0, 300_000)
        assert await store.get_range("name", 0, 300_000) == DATA[:300_000]


async def test_bytes_that_nobody_asked_for_end_the_connection_and_reach_nobody() -> None:
    async with store_that(long, right) as (store, connections):
        assert await store.get_range("name", 0, 300_000) == DATA[:300_000]
        await asyncio.sleep(0.05)
        assert await store.get_range("name", 7, 500) == DATA[7:500]
        assert connections == [1, 1]


async def test_connection_that_the_server_closes_after_its_answer_is_not_asked_again() -> None:
    def last(start: int, end: int) -> tuple[bytes, bytes]:
        return right(start, end, "S3Connection: close\r\n")

    async with store_that(last) as (store, connections):
        for _ in range(3):
            assert await store.get_range("name", 0, 9) == DATA[:9]
        assert connections == [1, 1, 1]


@pytest.mark.parametrize("answer", [right, chunked])
@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_program_that_ends_in_the_middle_of_a_range_ends_in_peace(answer: Answer, runner: Callable[..., None]) -> None:
    """The loop closes every generator by itself and in any order: none may rely on another."""
    told: list[dict[str, object]] = []
    kept = []

    async def look() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: told.append(context) if "asyncgen" in context else None
        )
        async with store_that(answer) as (store, _):
            pieces = store.stream_range("a", 0, len(DATA))
            kept.append(pieces)
            assert await anext(pieces)

    runner(look())
    assert told == []
