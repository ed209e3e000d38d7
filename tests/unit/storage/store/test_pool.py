"""The pool of blocking connections: its limit, its deadline, and dead connections that are replaced."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from storage.store.connection import S3Connection, S3Request
from storage.store.errors import DigestError, StoreAwayError
from storage.store.pool import ConnectionPool
from tests.support.faults.scripted_server import Received, response, scripted_server

GET = S3Request(method="GET", name="a", headers={})


def exchange(connection: S3Connection) -> int:
    return connection.exchange(GET).status


async def test_calls_one_after_the_other_use_one_connection() -> None:
    with scripted_server(lambda _: response(200, b"x")) as server:
        pool = ConnectionPool(server.settings, 2)
        assert [await pool.run(exchange, deadline_s=5) for _ in range(4)] == [200] * 4
        assert server.connections == 1
        await pool.close()


async def test_no_more_calls_run_at_a_time_than_the_limit() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def slow(_: Received) -> bytes:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return response(200)

    with scripted_server(slow) as server:
        pool = ConnectionPool(server.settings, 3)
        await asyncio.gather(*(pool.run(exchange, deadline_s=5) for _ in range(12)))
        await pool.close()
    assert most == 3
    assert server.connections == 3


async def test_kept_connection_that_the_server_closed_is_replaced() -> None:
    answers = [response(200), b"", response(200)]
    with scripted_server(lambda _: answers.pop(0)) as server:
        pool = ConnectionPool(server.settings, 1)
        assert await pool.run(exchange, deadline_s=5) == 200
        assert await pool.run(exchange, deadline_s=5) == 200
        assert (server.connections, len(server.requests)) == (2, 3)
        await pool.close()


async def test_new_connection_that_breaks_is_an_error_and_not_tried_again() -> None:
    with scripted_server(lambda _: b"") as server:
        pool = ConnectionPool(server.settings, 1)
        with pytest.raises(StoreAwayError, match="does not answer"):
            await pool.run(exchange, deadline_s=5)
        assert len(server.requests) == 1
        await pool.close()


async def test_later_call_of_a_lease_is_not_repeated() -> None:
    """It reads on in an answer: on another connection there is none."""
    answers = [response(200), response(200), b""]
    with scripted_server(lambda _: answers.pop(0)) as server:
        pool = ConnectionPool(server.settings, 1)
        await pool.run(exchange, deadline_s=5)
        async with pool.lease() as lease:
            assert await lease.run(exchange, deadline_s=5) == 200
            with pytest.raises(StoreAwayError):
                await lease.run(exchange, deadline_s=5)
        assert len(server.requests) == 3
        await pool.close()


async def test_lease_that_is_not_kept_closes_its_connection() -> None:
    with scripted_server(lambda _: response(200)) as server:
        pool = ConnectionPool(server.settings, 1)
        async with pool.lease() as lease:
            await lease.run(exchange, deadline_s=5)
        assert await pool.run(exchange, deadline_s=5) == 200
        assert server.connections == 2
        await pool.close()


async def test_deadline_ends_the_call_and_frees_its_thread() -> None:
    released = threading.Event()

    def silent(_: Received) -> bytes:
        released.wait(10)
        return b""

    with scripted_server(silent) as server:
        pool = ConnectionPool(server.settings, 1)
        with pytest.raises(StoreAwayError, match="too slow or silent"):
            await pool.run(exchange, deadline_s=0.05)
        with pytest.raises(StoreAwayError, match="too slow or silent"):  # the one thread is free again
            await pool.run(exchange, deadline_s=0.05)
        released.set()
        await pool.close()


async def test_cancelled_call_frees_its_thread_and_slot() -> None:
    released = threading.Event()

    def silent(_: Received) -> bytes:
        released.wait(10)
        return b""

    with scripted_server(silent) as server:
        pool = ConnectionPool(server.settings, 1)
        task = asyncio.create_task(pool.run(exchange, deadline_s=30))
        while not server.requests:  # noqa: ASYNC110 - the server is a thread
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        released.set()
        with pytest.raises(StoreAwayError):
            await pool.run(exchange, deadline_s=5)
        await pool.close()


async def test_file_that_changed_is_a_digest_error(tmp_path: Path) -> None:
    request = S3Request(method="PUT", name="a", headers={}, body=tmp_path / "absent", size_bytes=5)
    with scripted_server(lambda _: response(200)) as server:
        pool = ConnectionPool(server.settings, 1)
        with pytest.raises(DigestError, match="has changed"):
            await pool.run(lambda connection: connection.exchange(request), deadline_s=5)
        await pool.close()


async def test_connection_given_back_after_the_pool_closed_is_closed() -> None:
    with scripted_server(lambda _: response(200)) as server:
        pool = ConnectionPool(server.settings, 1)
        connection = await pool.take()
        connection.exchange(GET)
        assert connection.used
        await pool.close()
        pool.give_back(connection, good=True)
        assert not connection.used
