"""A role's status survives a disk that refuses: the role goes on, and what it says is still read."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from domain.time import NS
from runtime import status as status_module
from runtime.status import KNOWN_PERIODS, StatusFile, aged, read_status_files, statuses

FULL = [{"what": "The disk is full.", "remedy": "Make room."}]


def refuse(path: object, *_: object, **__: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk_takes_the_status_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = StatusFile(tmp_path, "ingest")
    status.write("ready")
    size = (tmp_path / "ingest-0.json").stat().st_size
    monkeypatch.setattr(status_module, "replace_file", refuse)
    status.write("degraded", problems=FULL)
    (found,) = read_status_files(tmp_path)
    assert (found["state"], found["problems"]) == ("degraded", FULL)
    assert (tmp_path / "ingest-0.json").stat().st_size == size
    assert [path.name for path in tmp_path.iterdir()] == ["ingest-0.json"]


def test_disk_that_refuses_everything_leaves_the_old_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = StatusFile(tmp_path, "ingest")
    status.write("ready")
    before = (tmp_path / "ingest-0.json").read_bytes()
    monkeypatch.setattr(status_module, "replace_file", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    status.write("degraded", problems=FULL)
    monkeypatch.undo()
    assert (tmp_path / "ingest-0.json").read_bytes() == before


@pytest.mark.parametrize(("directory", "file"), [(0o700, 0o600), (0o711, 0o600), (0o755, 0o644), (0o1777, 0o644)])
def test_other_users_read_a_status_where_its_directory_is_open_to_them(
    tmp_path: Path, directory: int, file: int
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    run.chmod(directory)
    StatusFile(run, "ingest").write("ready")
    assert (run / "ingest-0.json").stat().st_mode & 0o777 == file


def test_status_that_outgrows_its_file_is_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = StatusFile(tmp_path, "ingest")
    status.write("ready")
    before = read_status_files(tmp_path)
    monkeypatch.setattr(status_module, "replace_file", refuse)
    status.write("degraded", problems=FULL * 1000)
    assert read_status_files(tmp_path) == before


def ready(**more: Any) -> dict[str, Any]:
    return {
        "role": "ingest",
        "instance": "0",
        "pid": 1,
        "state": "ready",
        "period_s": 2.0,
        "updated_ns": 60 * NS,
        "updated_mono_ns": 100 * NS,
        "problems": [],
        "cameras": {"x": {"name": "Hall", "lag_s": 0.1}},
        **more,
    }


def test_status_is_known_for_three_of_its_periods_and_no_longer() -> None:
    limit_ns = 100 * NS + KNOWN_PERIODS * 2 * NS
    assert aged(ready(), limit_ns, lambda _: True) == ready()
    old = aged(ready(), limit_ns + 1, lambda _: True)
    assert (old["state"], old["updated_ns"]) == ("unknown", 60 * NS)
    (problem,) = old["problems"]
    assert problem["what"] == "The role ingest has not reported since 1970-01-01T00:01:00.000Z."
    assert problem["since_ns"] == 60 * NS


def test_old_facts_are_not_shown_any_more_but_names_are() -> None:
    old = aged(ready(pending=4), 10**12, lambda _: True)
    assert "pending" not in old
    assert old["cameras"] == {"x": {"name": "Hall"}}


def test_status_of_an_earlier_boot_is_unknown() -> None:
    assert aged(ready(), 5 * NS, lambda _: True)["state"] == "unknown"


def test_status_of_a_process_that_is_gone_is_dead_at_once() -> None:
    dead = aged(ready(instance="gate-2"), 100 * NS, lambda _: False)
    assert dead["state"] == "dead"
    assert dead["problems"][0]["what"].startswith("The role ingest gate-2 has died since ")


def test_step_of_the_wall_clock_makes_no_status_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    StatusFile(tmp_path, "ingest").write("ready")
    later_ns = time.time_ns() + 3600 * NS
    monkeypatch.setattr(time, "time_ns", lambda: later_ns)
    assert [status["state"] for status in statuses(tmp_path)] == ["ready"]


def test_files_of_others_and_torn_ones_do_not_disturb(tmp_path: Path) -> None:
    StatusFile(tmp_path, "ingest").write("ready")
    (tmp_path / "endpoints.json").write_text("{}")
    (tmp_path / "index-0.json").write_text("{")
    assert [(status["role"], status["state"]) for status in statuses(tmp_path)] == [
        ("index-0", "unreadable"),
        ("ingest", "ready"),
    ]


def test_status_of_a_stopped_process_becomes_unknown(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from runtime.status import StatusFile\n"
        "status = StatusFile(Path(sys.argv[1]), 'ingest', period_s=0.1)\n"
        "while True: status.write('ready', lag_s=0.0); time.sleep(0.1)"
    )

    def state() -> str:
        return next((str(status["state"]) for status in statuses(tmp_path)), "none")

    def until(wanted: str) -> None:
        deadline = time.monotonic() + 30
        while state() != wanted:
            assert time.monotonic() < deadline, f"{state()}, not {wanted}"
            time.sleep(0.02)

    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) as role:
        until("ready")
        role.send_signal(signal.SIGSTOP)
        until("unknown")
        role.send_signal(signal.SIGCONT)
        until("ready")
        role.kill()
        role.wait()
        assert state() == "dead"
