"""A configuration that is right, and the mistakes of one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.load import ConfigError, load

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


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text))
    return caught.value.mistakes
