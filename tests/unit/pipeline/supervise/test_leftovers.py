"""Roles left behind by a killed `tallenne up` are ended, stuck ones too; those of other directories are not."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.supervise.leftovers import end_leftovers

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
POLITE = "import time; print(1, flush=True); time.sleep(600)"


class Roles:
    """Processes whose command line is that of a role."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, code: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", code, "-m", "pipeline.cli", *words]
        role = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._started.append(role)
        assert role.stdout is not None
        assert role.stdout.readline() == b"1\n"
        return role

    def end(self) -> None:
        for role in self._started:
            role.kill()
            role.communicate()


@pytest.fixture
def roles() -> Iterator[Roles]:
    made = Roles()
    yield made
    made.end()


def test_role_left_behind_is_ended(roles: Roles, tmp_path: Path) -> None:
    role = roles.start(POLITE, "ingest", "--config", "x.toml", "--data", str(tmp_path))
    assert end_leftovers(tmp_path) == [role.pid]
    assert role.wait(30) == -signal.SIGTERM


def test_stopped_role_is_ended_in_good_order(roles: Roles, tmp_path: Path) -> None:
    role = roles.start(POLITE, "index", "--data", str(tmp_path))
    role.send_signal(signal.SIGSTOP)
    end_leftovers(tmp_path)
    assert role.wait(30) == -signal.SIGTERM


def test_role_that_does_not_listen_is_ended_by_force(roles: Roles, tmp_path: Path) -> None:
    role = roles.start(DEAF, "ingest", "--data", str(tmp_path))
    end_leftovers(tmp_path, grace_s=0.2)
    assert role.wait(30) == -signal.SIGKILL


def test_roles_of_a_copy_and_other_commands_are_left_alone(roles: Roles, tmp_path: Path) -> None:
    copy = roles.start(POLITE, "ingest", "--data", str(tmp_path.parent))
    status = roles.start(POLITE, "status", "--data", str(tmp_path))
    assert end_leftovers(tmp_path) == []
    assert copy.poll() is None
    assert status.poll() is None
