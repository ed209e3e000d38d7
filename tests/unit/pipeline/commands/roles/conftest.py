"""Role commands whose role is not started: what would be started is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import parsed, settings_in

Started = Callable[..., tuple[Any, Any, Any]]


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Started:
    """Run the command; return (role, settings, policy) as they reach ``run_role()``."""

    def start(command: Any, *words: str, method: str = "") -> tuple[Any, Any, Any]:
        settings = settings_in(tmp_path)
        calls: list[tuple[Any, ...]] = []
        # Services' addresses belong to a running installation: the settings are named instead of built.
        if method:
            monkeypatch.setattr(type(settings), method, lambda _, *more: (method, *more))
        monkeypatch.setattr(command, "settings_of", lambda _, **__: settings)
        monkeypatch.setattr(command, "policy_of", lambda role, *_, **more: (role, more))
        monkeypatch.setattr(command, "run_role", lambda *given, **_: calls.append(given) or 3)
        assert command.run(parsed(command, *words)) == 3
        ((role, built, *policy),) = calls
        return role, built, policy[0] if policy else None

    return start
