"""Reports about operation: what shells and service managers do to a program, proxies, certificates, databases."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from pipeline.embedded.process import free_ports, listens
from runtime.database import connect
from tests.cases.shared import field_case
from tests.conftest import Database
from tests.support.processes.started import started, tallenne, wait_for

pytestmark = [pytest.mark.services, pytest.mark.slow]
GYM = '[[site]]\nname = "Gym"\n[serve]\nport = 0\n'


def prepared(folder: Path, text: str = GYM) -> Path:
    """A folder with this configuration."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "tallenne.toml").write_text(text)
    return folder


def with_keeper(text: str) -> str:
    """The report's configuration, and the role that came later."""
    return text.replace("[database]\n", '[database]\nkeeper_password = { file = "k" }\n', 1)


def with_passwords(folder: Path, password: str) -> None:
    """The files that the reports about databases name."""
    for name in "oixcsk":
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(password)


def test_under_nohup_it_goes_on_when_the_terminal_goes(tmp_path: Path) -> None:
    field_case("nohup")
    with started(prepared(tmp_path / "gym"), prefix=("nohup",)) as gym:
        gym.process.send_signal(signal.SIGHUP)
        time.sleep(3)
        assert gym.process.poll() is None
        assert "Stopping" not in gym.output
        assert "tallenne staff add" in gym.output  # there is nobody yet
        wait_for(lambda: gym.statuses()["serve"]["state"] in ("ready", "degraded"))


def test_a_pooler_in_place_of_the_database_is_named(tmp_path: Path) -> None:
    case = field_case("databases")
    (port,) = free_ports(1)
    folder = prepared(tmp_path / "gym", with_keeper((case / "tallenne.toml").read_text()).replace("28951", str(port)))
    with_passwords(folder, "word")
    pooler = subprocess.Popen([sys.executable, case / "fake_pgbouncer.py", str(port)], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: listens(port))
        said = tallenne(folder, "up", "--config", "tallenne.toml", code=2)
    finally:
        pooler.terminate()
        pooler.wait(10)
    assert "search_path" in said or "statement_timeout" in said or "extra" in said
    assert "PgBouncer" in said


async def test_a_database_that_cannot_hold_every_name_is_named_at_the_start(tmp_path: Path, database: Database) -> None:
    """The report's second half: it was taken, and only later refused a member's name with a letter of Polish."""
    text = with_keeper((field_case("databases") / "tallenne.toml").read_text())
    owner, name = database.owner, f"latin1_{uuid.uuid4().hex}"
    conn = await connect(owner)
    await conn.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0")
    try:
        place = f'host = "{owner.host}"\nname = "{name}"\nowner = "{owner.user}"'
        folder = prepared(tmp_path / "gym", text.replace('host = "127.0.0.1"', place).replace("28951", str(owner.port)))
        with_passwords(folder, owner.password)
        said = await asyncio.to_thread(tallenne, folder, "up", "--config", "tallenne.toml", code=2)
    finally:
        await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await conn.close()
    assert "encoded in LATIN1" in said and "ENCODING 'UTF8'" in said
