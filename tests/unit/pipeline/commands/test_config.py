"""`tallenne config check` prints and exits."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli import main

GOOD = """\
[[site]]
name = "Helsinki"

[[site.camera]]
name = "Entrance"
url = "rtsp://192.168.1.10/one"
zone = "hall"
purpose = "safety"
assessment = "2026-1"

[[site.camera]]
name = "Weights"
url = "rtsp://192.168.1.11/one"
zone = "gym"
purpose = "safety"
assessment = "2026-1"

[[site.door]]
name = "Main"
external_id = "main"
cameras = [{ name = "Entrance" }]

[[door_system]]
site = "Helsinki"
topic = "access/helsinki/+"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "tallenne.toml"
    path.write_text(text)
    return path


def test_config_check_prints_and_exits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GOOD)
    assert main(["config", "check", "--config", str(path)]) == 0
    assert "1 sites, 2 cameras, 1 doors" in capsys.readouterr().out
    written(tmp_path, GOOD.replace('zone = "gym"', 'zone = "sauna"'))
    assert main(["config", "check", "--config", str(path), "--json"]) == 2
    assert '"ok": false' in capsys.readouterr().out
    assert main(["config", "check", "--config", str(path)]) == 2
    assert "line 14: " in capsys.readouterr().err
