"""The demo gym as a whole: smoke checks, every port, every role killed in turn, a second start."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from demo.video.marker import MARKER
from pipeline.running import Running
from pipeline.smoke import run as smoke_run
from pipeline.smoke.clear_bytes import files_holding
from pipeline.smoke.expected import tag_rows, untiled
from pipeline.smoke.holding import until
from pipeline.smoke.lateness import Lateness
from pipeline.smoke.run import checked, tags_agree
from pipeline.supervise.ready import wait_ready
from pipeline.supervise.tell import Tell
from pipeline.up import UpOptions, running
from runtime.database import connect
from tests.support.ports import listening, tree
from tests.support.processes.started import open_to_others

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.slow, pytest.mark.services]


@pytest.fixture
def data() -> Iterator[Path]:
    """A short path: Unix sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="tallenne-gym-") as folder:
        yield Path(folder) / "data"


def smoke(*arguments: str) -> tuple[dict[str, Any], str]:
    command = [sys.executable, "-m", "pipeline.cli", "up", "--smoke", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.strip().splitlines()
    return json.loads(line), done.stderr


def test_smoke_holds(data: Path) -> None:
    held, _ = smoke("--data", str(data))
    assert held["ok"]
    assert held["tags"] == held["tags_expected"] > 0
    assert held["frames"] == pytest.approx(held["frames_expected"], abs=1)
    assert held["timecode_error_ms_max"] <= 200
    assert open_to_others(data) == []


@pytest.mark.long
def test_second_smoke_goes_on_with_the_data(data: Path) -> None:
    first, _ = smoke("--data", str(data))
    second, told = smoke("--data", str(data))
    assert "0 new" in told  # the members are known
    assert second["segments"] > first["segments"]
    assert second["events"] > first["events"]
    assert second["gaps"] > first["gaps"]  # the time between the two


async def test_every_port_is_on_loopback_and_asks_for_credentials(data: Path) -> None:
    async with running(UpOptions(config=None, data=data, cameras=1), Tell(quiet=True)) as everything:
        ports = listening(tree())
        own = {port for _, _, port in ports}
        assert len(own) >= 8, ports
        assert {address for _, address, _ in ports} <= {"127.0.0.1", "::1"}, ports
        asked = sorted(own)
        with ThreadPoolExecutor(len(asked)) as knocking:
            loop = asyncio.get_running_loop()
            let_in = await asyncio.gather(
                *(loop.run_in_executor(knocking, _lets_a_stranger_in, port) for port in asked)
            )
        open_ones = [port for port, answered in zip(asked, let_in, strict=True) if answered]
        assert open_ones == [], [item for item in ports if item[2] in open_ones]
        assert await asyncio.to_thread(_sockets_others_can_reach, data) == []
        assert everything.address.startswith("https://127.0.0.1:")


def test_the_port_audit_sees_an_open_server() -> None:
    """Positive control: a server that lets anybody in is found."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "secret.txt").write_text("open")
        command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", folder, "0"]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as server:
            try:
                assert server.stdout is not None
                port = int(server.stdout.readline().split("port ")[1].split()[0])
                assert (port, "127.0.0.1") in [(item[2], item[1]) for item in listening(tree(server.pid))]
                assert _lets_a_stranger_in(port)
            finally:
                server.terminate()


async def test_roles_killed_in_turn_lose_nothing(data: Path, monkeypatch: pytest.MonkeyPatch, late: Lateness) -> None:
    # A picture that was made before a stall and sent after it came late, by half a second: nothing in it says so.
    monkeypatch.setattr(smoke_run, "_TIMECODE_LIMIT_MS", 200.0 + 500.0)
    async with running(UpOptions(config=None, data=data, cameras=3), Tell(quiet=True)) as everything:
        conn = await connect(everything.settings.database("owner"))
        stalls = asyncio.create_task(_stall_the_cameras(everything))
        try:
            await until(lambda: _recorded(conn, 3), "a segment of every camera")
            for name in ("ingest", "index", "custodian", "serve", "ingest"):
                await _kill_and_wait(everything, name)
                await asyncio.sleep(2)
            before = await _segments(conn)
            await until(lambda: _recorded(conn, before + 3), "new segments after the kills")
            result = await checked(everything, Tell(quiet=True), time.monotonic(), late, forget=True)
            assert result["restarts"] == 5
            assert result["frames_skipped"] > 0  # told by the cameras, and not taken for lost
            assert result["tags"] == result["tags_expected"] > 0
            figures = ("expired_openable", "held_openable", "certificate_ok")
            assert tuple(result[name] for name in figures) == (0, 1, True)
            causes = {row["cause"] for row in await conn.fetch("SELECT DISTINCT cause FROM gap")}
            assert "crash" in causes
        finally:
            stalls.cancel()
            await asyncio.wait([stalls])
            await conn.close()
    found, searched = files_holding(MARKER, [data])
    assert searched > 1 << 20
    assert found == []


async def test_the_join_and_the_tiling_see_what_is_broken(data: Path) -> None:
    """Positive controls: a tag taken away, a segment's time moved."""
    async with running(UpOptions(config=None, data=data, cameras=2), Tell(quiet=True)) as everything:
        conn = await connect(everything.settings.database("owner"))
        try:
            await until(lambda: tags_agree(everything, conn), "tags")
            for name in ("ingest", "demo"):
                await everything.processes[name].stop()
            await until(lambda: tags_agree(everything, conn), "tags of what is quiet")
            await everything.processes["index"].stop()
            held = await tag_rows(conn)
            await conn.execute(
                "DELETE FROM tag WHERE (event_id, segment_id) = (SELECT event_id, segment_id FROM tag LIMIT 1)"
            )
            assert len(held - await tag_rows(conn)) == 1
            assert await tags_agree(everything, conn) is None
            async with conn.transaction():
                await conn.execute("DELETE FROM gap")
                await conn.execute("UPDATE segment SET start_ns = start_ns - 500000000")
                assert any("overlap" in item for item in await untiled(conn))
        finally:
            await conn.close()


def _sockets_others_can_reach(data: Path) -> list[Path]:
    sockets = [*data.rglob("*.sock"), *data.rglob(".s.PGSQL.*")]
    assert sockets
    return [path for path in sockets if path.parent.stat().st_mode & 0o077]


async def _kill_and_wait(everything: Running, name: str) -> None:
    process = everything.processes[name]
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(20):
        while process.pid == pid:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await wait_ready(everything.installation.run, [process], timeout_s=30)


async def _stall_the_cameras(everything: Running) -> None:
    """As a busy machine does: for half a second no camera makes a picture."""
    while True:
        await asyncio.sleep(4)
        pid = everything.processes["demo"].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(0.5)
        finally:
            os.kill(pid, signal.SIGCONT)


async def _segments(conn: Any) -> int:
    return int(await conn.fetchval("SELECT count(*) FROM segment"))


async def _recorded(conn: Any, least: int) -> bool | None:
    return True if await _segments(conn) >= least else None


def _lets_a_stranger_in(port: int) -> bool:
    """Whether any of the usual first words gets anything but a refusal. TLS without our certificate included."""
    pages = [partial(_http, path=path, tls=tls) for path in _PAGES for tls in (False, True)]
    words = (*pages, _mqtt, _nats, _rtsp)
    with ThreadPoolExecutor(len(words)) as asking:  # most wait until nobody answers
        return any(asking.map(lambda ask: ask(port), words))


def _exchange(port: int, words: bytes, *, tls: bool = False) -> bytes:
    answer = b""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as plain, contextlib.ExitStack() as stack:
            plain.settimeout(2)
            sock = stack.enter_context(context.wrap_socket(plain, server_hostname="localhost")) if tls else plain
            sock.sendall(words)
            while len(answer) < 1 << 20 and (piece := sock.recv(65536)):
                answer += piece
    except OSError:
        return answer
    return answer


_PAGES = ("/", "/metrics", "/status", "/buckets/", "/dir/status", "/v1/cameras", "/v1/events")


def _http(port: int, *, path: str, tls: bool) -> bool:
    """A listing, a metrics page, anything with contents but the sign-in page. An empty "I am here" is none."""
    words = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    answer = _exchange(port, words, tls=tls)
    body = answer.partition(b"\r\n\r\n")[2]
    return bool(re.match(rb"HTTP/1\.[01] 2", answer) and body and b"Tallenne" not in body)


def _mqtt(port: int) -> bool:
    connect_packet = b"\x10\x12\x00\x04MQTT\x04\x02\x00\x3c\x00\x06stranr"
    answer = _exchange(port, connect_packet)
    return answer[:1] == b"\x20" and answer[3:4] == b"\x00"


def _nats(port: int) -> bool:
    answer = _exchange(port, b'CONNECT {"verbose":true}\r\nPING\r\n')
    return b"PONG" in answer


def _rtsp(port: int) -> bool:
    words = f"DESCRIBE rtsp://127.0.0.1:{port}/camera/1 RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode()
    return _exchange(port, words).startswith(b"RTSP/1.0 200")
