"""An installation whose roles run under users of their own, as README.md says an operator makes it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.embedded.accounts import ROLES
from pipeline.embedded.postgres import Postgres, start_postgres
from pipeline.embedded.provision import provision
from runtime.settings import DatabaseSettings, StoreSettings
from tests.support.network.roles_apart import role_process, site_and_services
from tests.support.processes.started import ROOT

UIDS = {"ingest": 64101, "custodian": 64102, "index": 64103, "serve": 64104, "keeper": 64105, "operator": 0}
PLANTED = bytes(range(1, 33))  # a key in the environment of ingest: what searches its memory must find it
_SECRETS = {
    "ingest": ("db-ingest", "s3-access", "s3-secret"),
    "custodian": ("db-custodian", "s3-access", "s3-secret"),
    "serve": ("db-serve", "s3-access", "s3-secret"),
    "keeper": ("db-keeper", "s3-access", "s3-secret"),
    "operator": ("db-owner", "db-serve", "s3-access", "s3-secret"),
}

_CUSTODIAN = """
[custodian]
socket = "{base}/socket/custodian.sock"
users = {{ ingest = "64101", index = "64103", serve = "64104", live = "64106", operator = "0" }}
"""


@functools.cache
def interpreter() -> str | None:
    """One of our version that other users can run: the environment's own, or the system's over its packages."""
    for candidate in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        command = [candidate, "-c", "import pipeline.cli, cryptography, av, asyncpg"]
        try:
            if subprocess.run(command, cwd=ROOT, capture_output=True, check=False, **_as("ingest")).returncode == 0:
                return candidate
        except OSError:
            continue
    return None


def impossible() -> str:
    """Why this machine cannot run roles under users of their own; empty when it can."""
    if os.geteuid() != 0:
        return "only root can start processes under other users"
    return "" if interpreter() else "other users cannot read this checkout, or run its Python"


def _as(role: str) -> dict[str, Any]:
    uid = UIDS[role]
    packages = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    more = {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": packages}
    return {"user": uid, "group": uid, "extra_groups": [], "env": {**os.environ, **more}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Directories, services and configuration; ``role()`` starts one."""

    base: Path
    postgres: Postgres
    store: StoreSettings
    heads: StoreSettings  # the same bucket, as the custodian's user of the store

    @property
    def socket(self) -> Path:
        return self.base / "socket" / "custodian.sock"

    def database(self, role: str) -> DatabaseSettings:
        user = "tallenne_owner" if role == "owner" else f"tallenne_{role}"
        password = self.postgres.password if role == "owner" else f"test-{role}"
        return self.postgres.settings(user, password, "tallenne")

    def arguments(self, role: str) -> list[str]:
        return ["--config", f"{self.base}/etc/{role}/tallenne.toml", "--data", f"{self.base}/var/{role}"]

    def tallenne(self, role: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A command as this role's user, to its end."""
        command = [str(interpreter()), "-m", "pipeline.cli", *words, *self.arguments(role)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False, **_as(role))

    @contextlib.asynccontextmanager
    async def role(self, role: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The role as a process, stopped in good order."""
        how = _as(role)
        how["env"] = how["env"] | environment
        command = [str(interpreter()), "-m", "pipeline.cli", role, *self.arguments(role)]
        async with role_process(command, self.base / f"{role}.log", **how) as process:
            yield process

    def loot(self, role: str, database: str, told: dict[str, Any]) -> dict[str, Any]:
        """What tests/support/footage/loot.py says as this role's user."""
        more = {"database": asdict(self.database(database)), "store": asdict(self.store), "socket": str(self.socket)}
        done = subprocess.run(
            [str(interpreter()), "-m", "tests.support.footage.loot"],
            cwd=ROOT,
            input=json.dumps(told | more),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            **_as(role),
        )
        assert done.returncode == 0, done.stderr
        body: dict[str, Any] = json.loads(done.stdout)
        return body


@contextlib.contextmanager
def apart(store: StoreSettings, heads: StoreSettings, url: str) -> Iterator[Apart]:
    """Made as an operator makes it; the PostgreSQL is this stand's own, since others must reach its socket."""
    base = Path(tempfile.mkdtemp(prefix="tallenne-apart-"))
    base.chmod(0o755)
    postgres = start_postgres(base / "pg", log=base / "pg.log", durable=False)
    try:
        for path in (base / "pg", postgres.socket_directory):
            path.chmod(0o711)
        (postgres.socket_directory / ".s.PGSQL.5432").chmod(0o777)
        passwords = {role: f"test-{role.removeprefix('tallenne_')}" for role in ROLES}
        asyncio.run(provision(postgres.settings(), passwords))
        made = Apart(base=base, postgres=postgres, store=replace(store), heads=heads)
        _directories(made)
        shared = site_and_services(
            url=url, host=str(postgres.socket_directory), port=5432, endpoint=store.endpoint, bucket=store.bucket
        )
        text = f'run = "{base}/run"\n' + shared + _CUSTODIAN.format(base=base)
        _etc(made, text)
        yield made
    finally:
        postgres.stop()
        shutil.rmtree(base)


def _directories(stand: Apart) -> None:
    for name, mode, owner in (("run", 0o1777, 0), ("socket", 0o755, UIDS["custodian"])):
        (stand.base / name).mkdir()
        (stand.base / name).chmod(mode)
        os.chown(stand.base / name, owner, owner)
    for folder in ("var", "etc"):
        (stand.base / folder).mkdir()
        for role, uid in UIDS.items():
            (stand.base / folder / role).mkdir(mode=0o700)
            os.chown(stand.base / folder / role, uid, uid)


def _etc(stand: Apart, text: str) -> None:
    """The same configuration for all, and to each the secrets that its role needs."""
    values = {
        "db-owner": stand.postgres.password,
        **{f"db-{role}": f"test-{role}" for role in ("ingest", "index", "custodian", "serve", "keeper")},
    }
    for role, names in _SECRETS.items():
        user = stand.heads if role == "custodian" else stand.store
        keys = {"s3-access": user.access_key, "s3-secret": user.secret_key}
        folder = stand.base / "etc" / role
        (folder / "tallenne.toml").write_text(text)
        for name in names:
            (folder / name).write_text((values | keys)[name])
            (folder / name).chmod(0o600)
            os.chown(folder / name, UIDS[role], UIDS[role])


def memory_of(pid: int) -> bytes:
    """All of a process's memory that can be read: what a core dump of it holds, and more."""
    image = bytearray()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            if rights[0] != "r" or "[v" in line:  # [vvar], [vdso], [vsyscall]: the kernel's
                continue
            start, end = (int(word, 16) for word in span.split("-"))
            with contextlib.suppress(OSError, ValueError):
                memory.seek(start)
                image += memory.read(end - start)
    return bytes(image)
