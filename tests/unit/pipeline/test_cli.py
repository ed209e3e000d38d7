"""What goes wrong in a command is one clear line and an exit code."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.commands import status
from pipeline.exit_codes import RETRY


def failing(monkeypatch: pytest.MonkeyPatch, number: int, name: str | None) -> None:
    def run(_: Any) -> int:
        raise OSError(number, os.strerror(number), name)

    monkeypatch.setattr(status, "run", run)


def test_every_command_makes_its_files_for_its_own_user(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, errno.EROFS, None)
    monkeypatch.setattr("sys.argv", ["tallenne", "status"])
    before = os.umask(0o022)
    try:
        main()
        assert os.umask(before) == 0o077
    finally:
        os.umask(before)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("name", [None, "/data/endpoints.json"])
def test_disk_that_refuses_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, name: str | None
) -> None:
    failing(monkeypatch, number, name)
    assert main(["status"]) == RETRY
    (said,) = capsys.readouterr().err.splitlines()
    assert os.strerror(number) in said and "Make room" in said and (name or "") in said


def test_another_error_of_the_system_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, errno.ENOENT, "/nowhere")
    with pytest.raises(FileNotFoundError):
        main(["status"])
