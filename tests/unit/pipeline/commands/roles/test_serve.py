"""`tallenne serve` starts its own role, with its own settings, under its own policy."""

from __future__ import annotations

from typing import Any

from api import role
from pipeline.commands.roles import serve as command


def test_role_settings_and_policy_belong_together(started: Any) -> None:
    assert started(command, method="serve") == (role.run, ("serve",), ("serve", {}))
