"""Logs are turned twice in their period: nothing older than it is left."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.supervise.log_files import turn_logs

DAY_S = 86_400


def test_logs_are_turned_at_half_their_period_and_the_old_ones_go(tmp_path: Path) -> None:
    log, old = tmp_path / "index.log", tmp_path / "index.log.old"
    log.write_text("first\n")
    writer = os.open(log, os.O_WRONLY | os.O_APPEND)  # as a role has it
    assert not turn_logs(tmp_path, 30)
    now_s = (tmp_path / ".turned").stat().st_mtime
    assert not turn_logs(tmp_path, 30, now_s + 15 * DAY_S - 1)
    assert turn_logs(tmp_path, 30, now_s + 15 * DAY_S)
    assert (log.read_text(), old.read_text()) == ("", "first\n")
    os.write(writer, b"second\n")
    assert log.read_text() == "second\n"
    now_s = (tmp_path / ".turned").stat().st_mtime
    assert turn_logs(tmp_path, 30, now_s + 15 * DAY_S)
    assert (log.read_text(), old.read_text()) == ("", "second\n")
    assert old.stat().st_mode & 0o777 == 0o600
    os.close(writer)
