"""A role that was taken over reaches its own directories and the network; not the keys, nor other processes."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.sandbox import kernel
from runtime.sandbox.held import held_now
from runtime.sandbox.role import SWITCH, RolePolicy, rights
from tests.support.sandbox.attacks import outcomes

_OPEN = {
    *("write an own file", "connect", "open a TCP socket", "open a UDP socket", "open a Unix socket"),
    *("open a netlink socket", "map executable memory", "make an anonymous file"),
}
_NEEDS_LANDLOCK = pytest.mark.skipif(kernel.landlock_version() < 6, reason="this kernel has no Landlock, or an old one")


@_NEEDS_LANDLOCK
@pytest.mark.parametrize(("policy", "more"), [("role", set()), ("workers", {"fork", "execute this program"})])
def test_role_taken_over_reaches_its_own_only(tmp_path: Path, policy: str, more: set[str]) -> None:
    found = outcomes(policy, tmp_path)
    assert {name for name, number in found.items() if not number} == _OPEN | more
    assert set(found.values()) <= {0, errno.EPERM, errno.EACCES}


_STATE = """
from pathlib import Path
from runtime.sandbox.held import held_now
from runtime.sandbox.role import RolePolicy, confine_role
confine_role(RolePolicy())
import uuid, sqlite3, storage.mp4.walker  # code is still there to be read, ours too
print(*held_now().holds, sep=",")
"""


@_NEEDS_LANDLOCK
@pytest.mark.parametrize(("switch", "said"), [("", "no new privileges,system calls,files"), ("off", "")])
def test_state_is_what_really_holds(tmp_path: Path, switch: str, said: str) -> None:
    """Started anywhere: an editable installation's packages are not on ``sys.path``."""
    words = [sys.executable, "-c", _STATE]
    done = subprocess.run(words, env={SWITCH: switch}, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said


def test_this_process_is_not_confined() -> None:
    """Positive control."""
    assert "files" in held_now().lacks


def test_program_around_the_data_is_read_without_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`./run` keeps the data in ./data, beside the program."""
    for name in ("runtime", "data/custodian", "data/run"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    found = rights(RolePolicy(writes=(tmp_path / "data" / "run",), closed=(tmp_path / "data",)))
    assert found[tmp_path] == kernel.READ_DIR
    assert found[tmp_path / "runtime"] == kernel.READ
    assert tmp_path / "data" not in found
    assert not any(path.is_relative_to(tmp_path / "data" / "custodian") for path in found)
    assert found[tmp_path / "data" / "run"] & kernel.WRITE_FILE
