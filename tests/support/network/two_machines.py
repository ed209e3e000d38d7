"""Two machines on one: network namespaces joined by a cable, the custodian in one, everything else in the other.

As pipeline/APART.md says an operator makes it, but for the users: everything runs as root here. PostgreSQL and the
store are the test's own; the second machine lends them its address.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pipeline.embedded.postgres import Postgres
from runtime.settings import StoreSettings
from tests.support.network.roles_apart import role_process, site_and_services
from tests.support.processes.started import ROOT

VAULT, REST = "10.231.77.1", "10.231.77.2"
PORT: Final = 7443
_CLONE_NEWNET: Final = 0x40000000

_TLS = 'tls_ca = "authority.pem"\ncertificate = "certificate.pem"\nkey = "key.pem"\n'
_CALLERS = '{ ingest = ["recorder-1"], serve = ["serve-1"], operator = ["operator-1"] }'
_NAMES = {"custodian": VAULT, "ingest": "recorder-1", "serve": "serve-1", "operator": "operator-1"}


def impossible() -> str:
    """Why this machine cannot be two; empty when it can."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    if shutil.which("ip") is None:
        return "iproute2 is not installed"
    name = f"tlnp{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"this machine makes no network namespace: {made.stderr.strip()}"
    _ip("netns", "del", name)
    return ""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@dataclass(slots=True, kw_only=True)
class TwoMachines:
    """``vault`` and ``rest``: their namespaces. ``etc``: a directory of each role, on the machine where it runs."""

    base: Path
    vault: str
    rest: str
    authority: Path
    ports: dict[str, int] = field(default_factory=dict)

    def cut(self) -> None:
        """Pull the cable between them."""
        _ip("-n", self.vault, "link", "set", "cable", "down")

    def mend(self) -> None:
        """Plug it in again."""
        _ip("-n", self.vault, "link", "set", "cable", "up")

    def command(self, role: str, *words: str) -> list[str]:
        """On the role's machine."""
        where = self.vault if role == "custodian" else self.rest
        return ["ip", "netns", "exec", where, sys.executable, *words]

    def tallenne(self, role: str, *words: str, code: int = 0) -> str:
        """A command with the role's configuration, to its end; what it prints."""
        command = self.command(role, "-m", "pipeline.cli", *words, *self._place(role))
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    @contextlib.asynccontextmanager
    async def role(self, role: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The role as a process on its machine, stopped in good order."""
        command = self.command(role, "-m", "pipeline.cli", role, *self._place(role))
        async with role_process(command, self.base / f"{role}.log") as process:
            yield process

    def certificate(self, name: str, role: str, *more: str) -> None:
        """Made by the command, and put where the role's configuration names it."""
        end = "custodian" if role == "custodian" else "caller"
        words = ("certificates", end, str(self.authority), name, *more)
        subprocess.run([sys.executable, "-m", "pipeline.cli", *words], cwd=ROOT, check=True, capture_output=True)
        for path in (self.authority / name).iterdir():
            shutil.copy(path, self.etc(role) / path.name)

    def etc(self, role: str) -> Path:
        """Configuration, secrets, certificate."""
        return self.base / "etc" / role

    def _place(self, role: str) -> tuple[str, ...]:
        return ("--config", str(self.etc(role) / "tallenne.toml"), "--data", str(self.base / "var" / role))

    def configure(self, url: str, bucket: str, secrets: dict[str, str]) -> None:
        """The files of every role, its certificate among them."""
        endpoint = f"{REST}:{self.ports['store']}"
        shared = site_and_services(url=url, host=REST, port=self.ports["database"], endpoint=endpoint, bucket=bucket)
        for role, name in _NAMES.items():
            self.etc(role).mkdir(parents=True, mode=0o700)
            (self.base / "var" / role).mkdir(parents=True, mode=0o700)
            head = f'run = "{self.base}/run-{"vault" if role == "custodian" else "rest"}"\n'
            if role == "custodian":
                own = f'[custodian.listen]\nhost = "{VAULT}"\nport = {PORT}\n{_TLS}callers = {_CALLERS}\n'
                head += 'roles = ["custodian"]\n'
            else:
                own = f'[custodian.at]\nhost = "{VAULT}"\nport = {PORT}\n{_TLS}'
                head += 'roles = ["ingest"]\n'
            (self.etc(role) / "tallenne.toml").write_text(head + shared + own)
            self.certificate(name, role)
            for secret, value in secrets.items():
                if secret.startswith("s3-") or secret == f"db-{role}" or role == "operator":
                    (self.etc(role) / secret).write_text(value)
                    (self.etc(role) / secret).chmod(0o600)


@contextlib.contextmanager
def two_machines(base: Path) -> Iterator[TwoMachines]:
    """Two namespaces with a cable between them."""
    vault, rest = (f"tln{os.getpid()}{end}" for end in "ab")
    made = TwoMachines(base=base, vault=vault, rest=rest, authority=base / "authority")
    for name in ("run-vault", "run-rest"):
        (base / name).mkdir()
        (base / name).chmod(0o1777)
    try:
        for name in (vault, rest):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("link", "add", "cable", "netns", vault, "type", "veth", "peer", "name", "cable", "netns", rest)
        for name, address in ((vault, VAULT), (rest, REST)):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
            _ip("-n", name, "link", "set", "cable", "up")
        yield made
    finally:
        for name in (vault, rest):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@contextlib.asynccontextmanager
async def lent(machines: TwoMachines, postgres: Postgres, store: StoreSettings) -> AsyncIterator[None]:
    """The test's own database and store at an address of the second machine."""
    host, _, port = store.endpoint.rpartition(":")

    async def to_database() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(postgres.socket_directory / ".s.PGSQL.5432")

    async def to_store() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(host, int(port))

    async with contextlib.AsyncExitStack() as stack:
        for name, connect in (("database", to_database), ("store", to_store)):
            listening = _listening_in(machines.rest)
            machines.ports[name] = listening.getsockname()[1]
            server = await asyncio.start_server(_relay(connect), sock=listening)
            stack.callback(server.close)
        yield


def _listening_in(namespace: str) -> socket.socket:
    """Make a socket in that namespace, from a thread that enters it: a socket stays in the namespace it was made in."""
    made: list[socket.socket] = []

    def make() -> None:
        with Path(f"/run/netns/{namespace}").open("rb") as file:
            assert ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET) == 0
        made.append(socket.create_server((REST, 0)))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


def _relay(connect: Callable[[], Any]) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await connect()
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    return serve
