"""The object store against a real S3 server: what is promised holds, also when the network does its worst."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import RetryableError
from runtime.settings import StoreSettings
from storage.store import PutOutcome, connection, s3
from storage.store.errors import (
    DigestError,
    ObjectConflictError,
    ObjectMissingError,
    StoreAwayError,
    StoreProtocolError,
)
from storage.store.opening import open_store
from storage.store.s3 import S3Store
from tests.support.faults.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.support.footage.store_calls import digest, put

pytestmark = pytest.mark.services


async def got(store: S3Store, name: str, start: int, end: int) -> bytes:
    async with aclosing(store.stream_range(name, start, end)) as pieces:
        return b"".join([piece async for piece in pieces])


# -- Writing


@pytest.mark.parametrize("size", [1, 378, 65_536, 5_000_001])
async def test_put_of_file_and_bytes_is_stored_and_says_its_hash(s3store: S3Store, tmp_path: Path, size: int) -> None:
    body = os.urandom(size)
    file = tmp_path / "object"
    file.write_bytes(body)
    assert await put(s3store, "from/file", file) is PutOutcome.STORED
    assert await put(s3store, "from/bytes", body) is PutOutcome.STORED
    for name in ("from/file", "from/bytes"):
        info = await s3store.stat(name)
        assert info is not None
        assert (info.size_bytes, info.sha256) == (size, digest(body))
        assert await s3store.get_range(name, 0, size) == body


async def test_put_again_is_already_there_and_another_body_is_a_conflict(s3store: S3Store) -> None:
    body = os.urandom(1000)
    assert await put(s3store, "name", body) is PutOutcome.STORED
    assert await put(s3store, "name", body) is PutOutcome.ALREADY
    for other in (os.urandom(1000), body[:-1], body + b"x"):
        with pytest.raises(ObjectConflictError):
            await put(s3store, "name", other)
    assert await s3store.get_range("name", 0, 1000) == body


async def test_put_of_many_writers_at_once_has_one_winner(s3store: S3Store) -> None:
    bodies = [os.urandom(100_000) for _ in range(8)]
    outcomes = await asyncio.gather(*(put(s3store, "name", body) for body in bodies), return_exceptions=True)
    winners = [body for body, outcome in zip(bodies, outcomes, strict=True) if outcome is PutOutcome.STORED]
    assert len(winners) == 1, outcomes
    # The losers may have asked before the winner was done (409 or not there yet): both say that they have not stored.
    assert all(isinstance(outcome, ObjectConflictError | RetryableError) for outcome in outcomes if outcome != "stored")
    assert await s3store.get_range("name", 0, 100_000) == winners[0]


async def test_put_with_another_hash_than_stated_is_refused_and_leaves_nothing(
    s3store: S3Store, tmp_path: Path
) -> None:
    body = os.urandom(100_000)
    file = tmp_path / "object"
    file.write_bytes(body[:-1])
    for source in (bytes(len(body)), file, tmp_path / "absent"):
        with pytest.raises(DigestError):
            await s3store.put_new("name", source, size_bytes=len(body), sha256=digest(body))
        assert await s3store.stat("name") is None
    assert await put(s3store, "name", body) is PutOutcome.STORED


async def test_put_damaged_on_its_way_is_refused(far: tuple[S3Store, FaultyProxy]) -> None:
    store, proxy = far
    body = os.urandom(200_000)
    proxy.only, proxy.faults = ("PUT",), proxy.faults.__class__([Fault.FLIP])
    with pytest.raises(DigestError):
        await put(store, "name", body)
    assert await store.stat("name") is None
    assert await put(store, "name", body) is PutOutcome.STORED


# -- Lost replies and other faults


async def test_put_whose_reply_is_lost_is_found_at_the_next_try(far: tuple[S3Store, FaultyProxy]) -> None:
    store, proxy = far
    body = os.urandom(300_000)
    proxy.faults.append(Fault.LOSE_REPLY)
    with pytest.raises(StoreAwayError):
        await put(store, "name", body)
    assert [line.split()[0] for line in proxy.requests] == ["PUT"]
    assert await put(store, "name", body) is PutOutcome.ALREADY
    with pytest.raises(ObjectConflictError):
        await put(store, "name", os.urandom(300_000))


async def test_put_whose_reply_is_lost_on_a_kept_connection_is_found_at_once(far: tuple[S3Store, FaultyProxy]) -> None:
    store, proxy = far
    await put(store, "first", b"first")
    assert proxy.connections == 1
    proxy.faults.append(Fault.LOSE_REPLY)
    assert await put(store, "name", b"body") is PutOutcome.ALREADY
    assert [line.split("/")[-1] for line in proxy.requests if line.startswith("PUT")] == ["first", "name", "name"]


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.RESET_MIDWAY, Fault.BUSY, Fault.BUSY_AT_ONCE])
async def test_put_that_fails_can_be_tried_again(far: tuple[S3Store, FaultyProxy], fault: Fault) -> None:
    store, proxy = far
    body = os.urandom(3_000_000)
    proxy.faults.extend([fault, fault])
    for _ in range(2):
        with pytest.raises(StoreAwayError):
            await put(store, "name", body)
    assert await put(store, "name", body) is PutOutcome.STORED
    assert await store.get_range("name", 0, len(body)) == body


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.BUSY, Fault.CUT_REPLY, Fault.LOSE_REPLY])
async def test_reading_that_fails_says_away_and_works_again(far: tuple[S3Store, FaultyProxy], fault: Fault) -> None:
    store, proxy = far
    body = os.urandom(700_000)
    await put(store, "name", body)
    proxy.only, proxy.always = ("GET",), fault
    with pytest.raises(StoreAwayError):
        await store.get_range("name", 0, len(body))
    with pytest.raises(StoreAwayError):
        await got(store, "name", 0, len(body))
    proxy.always = None
    assert await store.get_range("name", 0, len(body)) == body
    assert await got(store, "name", 0, len(body)) == body


async def test_silence_ends_after_the_stall_timeout(
    far: tuple[S3Store, FaultyProxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, proxy = far
    monkeypatch.setattr(connection, "STALL_TIMEOUT_S", 0.5)
    proxy.always = Fault.SILENT
    for call in (put(store, "name", b"body"), store.stat("name"), store.get_range("name", 0, 4), store.delete("x")):
        started_s = time.monotonic()
        with pytest.raises(StoreAwayError):
            await call
        assert 0.3 < time.monotonic() - started_s < 15  # as set, not the 20 s of always


async def test_slow_answer_ends_after_the_deadline(
    far: tuple[S3Store, FaultyProxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, proxy = far
    await put(store, "name", os.urandom(100_000))
    monkeypatch.setattr(s3, "_CALL_DEADLINE_S", 1.0)
    monkeypatch.setattr(s3, "_SLOWEST_BYTES_PER_S", 1 << 20)
    proxy.always = Fault.SLOW
    for reading in (store.get_range("name", 0, 100_000), got(store, "name", 0, 100_000)):
        started_s = time.monotonic()
        with pytest.raises(StoreAwayError):
            await reading
        assert (
            time.monotonic() - started_s < 10
        )  # before the silence of 20 s ends them0  # as set, not the 30 s of always
    proxy.always = None
    assert len(await store.get_range("name", 0, 100_000)) == 100_000


async def test_cancelled_calls_end_at_once_and_leave_the_pool_whole(far: tuple[S3Store, FaultyProxy]) -> None:
    store, proxy = far
    body = os.urandom(100_000)
    proxy.always = Fault.SILENT
    tasks = [asyncio.create_task(put(store, f"name-{number}", body)) for number in range(4)]
    await asyncio.sleep(0.3)
    started_s = time.monotonic()
    for task in tasks:
        task.cancel()
    assert all(isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True))
    assert time.monotonic() - started_s < 10  # before the silence of 20 s ends them
    proxy.always = None
    outcomes = await asyncio.gather(*(put(store, f"name-{number}", body) for number in range(8)))
    assert set(outcomes) <= {PutOutcome.STORED, PutOutcome.ALREADY}


async def test_cancelling_while_connecting_sends_nothing_afterwards(
    store: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with faulty_proxy(store.endpoint) as proxy, open_store(replace(store, endpoint=proxy.endpoint)) as opened:
        original = connection.http.client.HTTPConnection.connect
        begun, cancelled = threading.Event(), threading.Event()

        def late(self: object) -> None:
            begun.set()
            cancelled.wait(60)
            original(self)  # type: ignore[arg-type]

        monkeypatch.setattr(connection.http.client.HTTPConnection, "connect", late)
        task = asyncio.create_task(opened.put_new("name", b"body", size_bytes=4, sha256=digest(b"body")))
        await asyncio.to_thread(begun.wait, 60)
        task.cancel()
        asyncio.get_running_loop().call_later(0.2, cancelled.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.5)
        assert proxy.requests == []


# -- RangeConnection


async def test_ranges_are_exactly_what_was_asked_for(s3store: S3Store) -> None:
    body = os.urandom(1_000_003)
    await put(s3store, "name", body)
    size = len(body)
    edges = [0, 1, 2, 255, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, size - 1, size]
    for start in edges:
        for end in edges:
            expected = body[start:end]
            assert await s3store.get_range("name", start, end) == expected
            assert await got(s3store, "name", start, end) == expected


async def test_range_beyond_the_end_is_not_answered_with_less(s3store: S3Store) -> None:
    await put(s3store, "name", bytes(100))
    for start, end in ((0, 101), (50, 200), (100, 101), (500, 600)):
        with pytest.raises(StoreProtocolError):
            await s3store.get_range("name", start, end)
        with pytest.raises(StoreProtocolError):
            await got(s3store, "name", start, end)
    assert await s3store.get_range("name", 0, 100) == bytes(100)


async def test_server_that_ignores_ranges_is_found_out(far: tuple[S3Store, FaultyProxy]) -> None:
    store, proxy = far
    proxy.only = ("GET",)
    proxy.faults.append(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")
    with pytest.raises(StoreProtocolError):
        await store.get_range("name", 2, 5)
    proxy.faults.append(b"HTTP/1.1 206 P\r\nContent-Length: 3\r\nContent-Range: bytes 0-2/10\r\n\r\n012")
    with pytest.raises(StoreProtocolError):
        await store.get_range("name", 2, 5)


async def test_stream_left_early_does_not_disturb_the_next(s3store: S3Store) -> None:
    body = os.urandom(2_000_000)
    await put(s3store, "name", body)
    for _ in range(20):
        async with aclosing(s3store.stream_range("name", 0, len(body))) as pieces:
            assert len(await anext(pieces)) <= s3.PIECE_BYTES
    assert await s3store.get_range("name", 0, len(body)) == body


async def test_connections_are_kept_for_every_method(far: tuple[S3Store, FaultyProxy]) -> None:
    store, proxy = far
    await put(store, "name", b"body")
    for _ in range(5):
        assert await store.stat("name") is not None
        assert await store.stat("absent") is None
        assert await store.get_range("name", 0, 4) == b"body"
        assert await got(store, "name", 1, 3) == b"od"
        await store.delete("probe/absent")
    assert proxy.connections == 2  # one for ranges, one for the rest


async def test_kept_connection_that_the_server_has_closed_is_replaced(far: tuple[S3Store, FaultyProxy]) -> None:
    store, proxy = far
    await put(store, "name", b"body")
    await store.get_range("name", 0, 4)
    for _ in range(3):
        proxy.faults.append(Fault.RESET)
        assert await store.get_range("name", 0, 4) == b"body"


async def test_absent_objects(s3store: S3Store) -> None:
    assert await s3store.stat("absent") is None
    with pytest.raises(ObjectMissingError):
        await s3store.get_range("absent", 0, 1)
    with pytest.raises(ObjectMissingError):
        await got(s3store, "absent", 0, 1)
    await s3store.delete("probe/absent")
