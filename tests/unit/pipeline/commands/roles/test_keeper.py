"""`tallenne keeper` starts its own role, with its own settings, under its own policy."""

from __future__ import annotations

from typing import Any

from pipeline.commands.roles import keeper as command
from upkeep.keeper import role


def test_role_settings_and_policy_belong_together(started: Any) -> None:
    assert started(command, method="keeper") == (role.run, ("keeper",), ("keeper", {}))
