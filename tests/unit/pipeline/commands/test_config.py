"""`tallenne config check` prints and exits."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli import main
from tests.support.configuration import GOOD, written


def test_config_check_prints_and_exits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GOOD)
    assert main(["config", "check", "--config", str(path)]) == 0
    assert "1 sites, 2 cameras, 1 doors" in capsys.readouterr().out
    written(tmp_path, GOOD.replace('zone = "gym"', 'zone = "sauna"'))
    assert main(["config", "check", "--config", str(path), "--json"]) == 2
    assert '"ok": false' in capsys.readouterr().out
    assert main(["config", "check", "--config", str(path)]) == 2
    assert "line 14: " in capsys.readouterr().err
