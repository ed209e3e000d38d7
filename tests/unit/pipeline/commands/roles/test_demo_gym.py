"""`tallenne demo-gym` needs a demo."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands.roles import demo_gym as command
from pipeline.errors import SetupError
from tests.support.commands import parsed, settings_in


def test_without_a_demo_it_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "settings_of", lambda _: settings_in(tmp_path))
    with pytest.raises(SetupError, match="tallenne up"):
        command.run(parsed(command))
