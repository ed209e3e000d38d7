"""Debian's coturn on loopback, as a TURN server for browsers that reach us by it alone."""

from __future__ import annotations

import asyncio
import shutil
import socket
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from api.settings import TurnSettings

MISSING = "" if shutil.which("turnserver") else "coturn is not installed"


@dataclass(kw_only=True)
class Turn:
    """A server that runs, and what it logs."""

    settings: TurnSettings
    log: list[str] = field(default_factory=list)


@asynccontextmanager
async def coturn(directory: Path, secret: str = "north") -> AsyncIterator[Turn]:
    """It relays to loopback, which a real one must not."""
    port = _free_port()
    command = (
        *("turnserver", "-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port", str(port)),
        *("--use-auth-secret", "--static-auth-secret", secret, "--realm", "tallenne.test", "--allow-loopback-peers"),
        *("--no-tls", "--no-dtls", "--no-cli", "--no-tcp", "--no-multicast-peers", "--verbose"),
        *("--log-file", "stdout", "--simple-log", "--pidfile", str(directory / "turn.pid")),
        *("--userdb", str(directory / "turn.sqlite")),
    )
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    turn = Turn(settings=TurnSettings(url=f"turn:127.0.0.1:{port}", secret=secret))
    assert process.stdout is not None
    reading = asyncio.create_task(_read(process.stdout, turn.log))
    try:
        async with asyncio.timeout(10):
            while not any("listener opened" in line for line in turn.log):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield turn
    finally:
        process.kill()
        await process.wait()
        await reading


async def _read(stream: asyncio.StreamReader, log: list[str]) -> None:
    async for line in stream:
        log.append(line.decode(errors="replace"))


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
