"""`tallenne live` starts its own role, with its own settings, under its own policy."""

from __future__ import annotations

from typing import Any

from live import role
from pipeline.commands.roles import live as command


def test_role_settings_and_policy_belong_together(started: Any) -> None:
    assert started(command, method="live") == (role.run, ("live",), ("live", {}))
