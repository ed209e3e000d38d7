"""`tallenne paper breach`: its arguments; what it answers is in tests/integration/api/audit/test_breach.py."""

from __future__ import annotations

import pytest

from pipeline.commands.paper import command
from pipeline.errors import SetupError
from tests.support.commands import parsed


def test_end_before_the_start_is_refused_before_anything_is_read() -> None:
    words = ("breach", "--from", "2026-12-02T00:00Z", "--to", "2026-12-01T00:00Z")
    with pytest.raises(SetupError, match="--to is not after --from"):
        command.run(parsed(command, *words))


def test_period_must_be_named() -> None:
    with pytest.raises(SystemExit):
        parsed(command, "breach", "--from", "06:31")
