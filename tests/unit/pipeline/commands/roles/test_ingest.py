"""`tallenne ingest`: one worker of several, with settings and a policy of its own."""

from __future__ import annotations

from typing import Any

import pytest

from ingest import role
from pipeline.commands.roles import ingest as command
from pipeline.errors import SetupError


def test_worker_gets_its_own_settings_and_policy(started: Any) -> None:
    assert started(command, method="ingest") == (role.run, ("ingest", 0), ("ingest", {"worker": 0}))


def test_worker_that_is_not_configured_is_refused(started: Any) -> None:
    with pytest.raises(SetupError, match="Leave --worker out"):
        started(command, "--worker", "1")
