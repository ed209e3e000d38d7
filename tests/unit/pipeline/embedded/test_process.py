"""Ports of the embedded services: kept from start to start, and never such as an outgoing connection may take."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.embedded import process
from pipeline.embedded.process import (
    ServiceProcess,
    can_listen,
    end_leftovers_in,
    free_ports,
    outgoing_ports,
    remembered_port,
)
from pipeline.errors import ServiceError

SLEEP = Path(shutil.which("sleep") or "sleep").resolve().name  # "coreutils" on some systems


def test_free_ports_are_none_of_those_for_outgoing_connections() -> None:
    first, last = outgoing_ports()
    found = free_ports(50)
    assert len(set(found)) == 50
    assert not [port for port in found if first <= port <= last]
    for port in found:
        socket.create_server(("127.0.0.1", port)).close()


def test_two_installations_that_start_at_once_choose_other_ports() -> None:
    """Nothing listens on a port yet when it is chosen: both chose the same, and one waited for it for ever."""
    (port,) = free_ports(1)
    code = f"import pipeline.embedded.process as p; p._FIRST_PORT = p._LAST_PORT = {port}; print(p.free_ports(1))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ServiceError" in other.stderr
    os.close(process._claimed.pop(port))
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert again.stdout == f"[{port}]\n"


def test_a_port_that_an_outgoing_connection_has_is_not_taken_again(tmp_path: Path) -> None:
    """Nobody listens there, and yet nobody could: the demo's cameras waited for such a port for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        held = client.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", held))
        assert not can_listen(held)
        kept = tmp_path / "port"
        kept.write_text(f"{held}\n")
        port = remembered_port(kept)
        assert port != held
        assert remembered_port(kept) == port


def test_no_port_left_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "outgoing_ports", lambda: (1024, 65_535))
    with pytest.raises(ServiceError, match="ip_local_port_range"):
        free_ports(1)


def service(directory: Path) -> ServiceProcess:
    return ServiceProcess("sleeper", ["sleep", "600"], log=directory / "log", directory=directory, program=SLEEP)


def test_service_that_a_killed_run_left_behind_is_ended(tmp_path: Path) -> None:
    left = service(tmp_path)
    again = service(tmp_path)
    assert not left.alive()
    assert again.alive()
    again.stop()


def test_stopped_service_that_a_killed_run_left_behind_is_ended(tmp_path: Path) -> None:
    left = service(tmp_path)
    left.send(signal.SIGSTOP)
    again = service(tmp_path)
    assert not left.alive()
    again.stop()


def test_service_that_ignores_its_end_is_ended_by_force(tmp_path: Path) -> None:
    deaf = subprocess.Popen(["sh", "-c", "trap '' TERM; exec sleep 600"], cwd=tmp_path)
    while _named(deaf.pid) != SLEEP:
        time.sleep(0.01)
    end_leftovers_in(tmp_path, SLEEP, grace_s=0.2)
    assert deaf.wait(5) == -signal.SIGKILL


def test_other_programs_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    """An operator's shell, for one."""
    other = subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE)
    service(tmp_path).stop()
    assert other.poll() is None
    other.communicate(b"\n")


def _named(pid: int) -> str:
    return Path(f"/proc/{pid}/exe").readlink().name


def test_service_of_the_original_goes_on_beside_a_copy_of_its_directory(tmp_path: Path) -> None:
    (tmp_path / "original").mkdir()
    original = service(tmp_path / "original")
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    copy = service(tmp_path / "copy")
    assert original.alive()
    assert copy.alive()
    for one in (copy, original):
        one.stop()


def test_service_of_a_directory_that_was_moved_is_ended(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    left = service(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    again = service(tmp_path / "there")
    assert not left.alive()
    again.stop()


def last_words(directory: Path, script: str, *, log: str = "") -> str:
    (directory / "log").write_text(log)
    ran = ServiceProcess("it", ["sh", "-c", script], log=directory / "log", directory=directory, program="none")
    ran._process.wait(30)
    return ran.last_words()


def test_last_words_are_an_error_of_this_run_or_how_it_ended(tmp_path: Path) -> None:
    """A door's wrong password was quoted for the end of a broker that was killed hours later."""
    earlier = "[1] 2026/11/30 [ERR] of an earlier run\n"
    assert last_words(tmp_path, "echo '[7] [ERR] wrong password'; kill -9 $$", log=earlier) == "signal SIGKILL"
    assert last_words(tmp_path, "echo PANIC: no space; echo more; kill -6 $$") == "signal SIGABRT: PANIC: no space"
    assert last_words(tmp_path, "echo FATAL: no space; echo shut down; exit 1") == "exit code 1: FATAL: no space"
    assert last_words(tmp_path, "echo '[7] [FTL] no port'; exit 1") == "exit code 1: [7] [FTL] no port"
    assert last_words(tmp_path, "echo F0130 10:00:00 no volume; exit 255") == "exit code 255: F0130 10:00:00 no volume"
    assert last_words(tmp_path, "echo cannot unshare; exit 2") == "exit code 2: cannot unshare"
    assert last_words(tmp_path, "exit 0") == "exit code 0"
