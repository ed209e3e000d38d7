"""`tallenne backup-role` starts its own role, with its own settings, under its own policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.roles import backup as command
from upkeep.backup import role


def test_role_settings_and_policy_belong_together(
    started: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "backup_settings", lambda _: "built")
    monkeypatch.setattr(command, "_WAIT_S", 0.0)
    (tmp_path / "data").mkdir()
    assert started(command) == (role.run, "built", ("backup", {}))
    assert (tmp_path / "data" / "audit-heads").stat().st_mode & 0o777 == 0o600  # a file that its sandbox can name
