"""The serve role as a role: over TLS, ready or degraded, stopped in good order."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api import role
from api.errors import CannotServeError
from api.settings import ServeSettings
from runtime.settings import DatabaseSettings, StoreSettings
from runtime.status import read_status_files
from tests.conftest import Database

pytestmark = pytest.mark.services


def settings_for(database: DatabaseSettings, directory: Path, **more: Any) -> ServeSettings:
    (directory / "run").mkdir(exist_ok=True)
    values: dict[str, Any] = {
        "database": database,
        "store": StoreSettings(endpoint="", secure=False, bucket="", access_key="", secret_key="", null=True),
        "custodian_socket": directory / "run" / "custodian.sock",
        "run_directory": directory / "run",
        "secret_directory": directory / "api",
    }
    return ServeSettings(**(values | more))


@contextlib.asynccontextmanager
async def serving(settings: ServeSettings) -> AsyncIterator[dict[str, Any]]:
    """The status file's contents, once it names an address."""
    stop = asyncio.Event()
    task = asyncio.create_task(role.run(settings, stop))
    try:
        async with asyncio.timeout(20):
            while not (found := [each for each in read_status_files(settings.run_directory) if "address" in each]):
                if task.done():
                    task.result()
                await asyncio.sleep(0.02)
        yield found[0]
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


def client_of(status: dict[str, Any], settings: ServeSettings) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=settings.secret_directory / "tls-cert.pem")
    return httpx.AsyncClient(base_url=status["address"], verify=context)


async def test_role_serves_under_its_own_certificate_and_leaves(database: Database, tmp_path: Path) -> None:
    settings = settings_for(database.serve, tmp_path)
    async with serving(settings) as status, client_of(status, settings) as client:
        assert status["state"] == "degraded"
        assert [problem["what"] for problem in status["problems"]] == ["The custodian does not answer."]
        answer = await client.get("/v1/health")
        assert (answer.status_code, answer.json()["state"]) == (503, "degraded")
        assert set(answer.json()) == {"state", "now"}  # no details for strangers
        assert (await client.get("/v1/health/live")).status_code == 200
        assert [(await client.head(f"/v1/health{more}")).status_code for more in ("", "/live")] == [503, 200]
        assert "server" not in answer.headers
    assert read_status_files(settings.run_directory) == []
    assert sorted(path.stat().st_mode & 0o777 for path in settings.secret_directory.iterdir()) == [0o600] * 3
    fingerprint = status["certificate_sha256"]
    async with serving(settings) as status:
        assert status["certificate_sha256"] == fingerprint


async def test_role_database_away_503_and_still_there(database: Database, tmp_path: Path) -> None:
    settings = settings_for(replace(database.serve, host=str(tmp_path / "nowhere")), tmp_path)
    async with serving(settings) as status, client_of(status, settings) as client:
        body = {"user_name": "a", "password": "b", "code": "c"}
        answer = await client.post("/v1/sign-in", json=body)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert "nowhere" not in answer.text
        assert (await client.get("/v1/session", headers={"Cookie": "__Host-tallenne=x"})).status_code == 503
        assert (await client.get("/v1/health")).status_code == 503
        assert (await client.get("/v1/health/live")).status_code == 200


async def test_role_port_taken_says_so(database: Database, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_for(database.serve, tmp_path, port=taken.getsockname()[1])
        with pytest.raises(CannotServeError, match="Cannot serve at"):
            await role.run(settings, asyncio.Event())


@pytest.mark.parametrize("later", [False, True])
async def test_slow_request_head_is_cut_off(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: bool
) -> None:
    monkeypatch.setattr("api.http.server.REQUEST_DEADLINE_S", 0.5)
    settings = settings_for(database.serve, tmp_path)
    async with serving(settings) as status:
        context = ssl.create_default_context(cafile=settings.secret_directory / "tls-cert.pem")
        port = urlsplit(status["address"]).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        if later:
            writer.write(b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
            await asyncio.sleep(0.8)  # idle it may be for longer
        began = time.monotonic()
        writer.write(b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert await reader.read() == b""
        assert time.monotonic() - began < 12  # as set, not the 15 s of always
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_one_address_does_not_keep_others_out(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.connection_limit.GRACE_S", 3600.0)
    settings = settings_for(database.serve, tmp_path, connections_per_address=4, trusted_proxies=("127.0.0.3",))
    async with serving(settings) as status:
        context = ssl.create_default_context(cafile=settings.secret_directory / "tls-cert.pem")
        port = urlsplit(status["address"]).port

        async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await asyncio.open_connection("127.0.0.1", port, ssl=context, local_addr=(address, 0))

        async def ask(address: str) -> tuple[bytes, bytes]:
            reader, writer = await connect(address)
            writer.write(b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return head.lower(), body

        held = [await connect("127.0.0.1") for _ in range(4)]
        head, body = await ask("127.0.0.1")
        assert head.startswith(b"http/1.1 503 ") and b"content-type: application/problem+json" in head
        assert b"retry-after: 5" in head and b"Too many connections from this address." in body
        for other in ("127.0.0.2", "127.0.0.3"):
            assert (await ask(other))[0].startswith(b"http/1.1 200 "), other
        held += [await connect("127.0.0.3") for _ in range(6)]  # a proxy speaks for many
        assert (await ask("127.0.0.3"))[0].startswith(b"http/1.1 200 ")
        for _, writer in held:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        async with asyncio.timeout(5):
            while not (await ask("127.0.0.1"))[0].startswith(b"http/1.1 200 "):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_silent_slow_and_deaf_connections_of_four_addresses_shut_nobody_out(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All places taken by connections that wait for their client, in each way; others are served all the while."""
    monkeypatch.setattr("api.http.connection_limit._BROWSER", 4)
    settings = settings_for(database.serve, tmp_path, connections_max=32, connections_per_address=8)
    async with serving(settings) as status:
        context = ssl.create_default_context(cafile=settings.secret_directory / "tls-cert.pem")
        port = urlsplit(status["address"]).port
        slow = b"POST /v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{"
        idle = b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
        ways = {"127.0.0.2": None, "127.0.0.3": b"", "127.0.0.4": slow, "127.0.0.5": idle}
        held = []
        for address, sent in ways.items():
            for _ in range(8):
                tls = None if sent is None else context
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, local_addr=(address, 0))
                writer.write(sent or b"")
                if sent is idle:
                    await reader.readuntil(b"}")
                held.append(writer)
        for _ in range(40):
            async with client_of(status, settings) as client:
                assert (await client.get("/v1/health/live")).status_code == 200
        for writer in held:
            writer.transport.abort()


async def test_tls_that_is_never_begun_holds_a_place_for_a_moment_only(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.server.REQUEST_DEADLINE_S", 1.0)
    settings = settings_for(database.serve, tmp_path, connections_per_address=4)
    async with serving(settings) as status:
        port = urlsplit(status["address"]).port
        plain = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
        await asyncio.sleep(0.3)
        ended = [reader.at_eof() for reader, _ in plain]
        assert sum(ended) >= 40 - 4 - 16  # places, and those that would be told why they have none
        async with asyncio.timeout(10):
            for reader, _ in plain:
                with contextlib.suppress(ConnectionError):
                    await reader.read()
        async with client_of(status, settings) as client:
            assert (await client.get("/v1/health/live")).status_code == 200
        for _, writer in plain:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_an_answer_that_nobody_reads_is_given_up(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.server._UNREAD_S", 0.5)
    settings = settings_for(database.serve, tmp_path)
    async with serving(settings) as status:
        context = ssl.create_default_context(cafile=settings.secret_directory / "tls-cert.pem")
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", urlsplit(status["address"]).port))
        _, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname="127.0.0.1", limit=1 << 10)
        ask = b"GET /static/tallenne.css HTTP/1.1\r\nHost: x\r\n\r\n"
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(20):
                while True:
                    writer.write(ask * 20)
                    await writer.drain()
                    await asyncio.sleep(0.1)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
