"""What `config check` warns of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli import main

GYM = """
[[site]]
name = "Gym"
[[site.camera]]
name = "Hall"
url = "rtsps://192.168.1.10/stream1"
zone = "hall"
purpose = "safety"
assessment = "1"
"""


def checked(folder: Path, more: str, *words: str) -> int:
    (folder / "tallenne.toml").write_text(GYM + more)
    return main(["config", "check", "--config", str(folder / "tallenne.toml"), *words])


def test_old_tls_is_warned_of_with_the_camera_and_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(tmp_path, 'tls_level = "legacy"\n') == 0
    told = capsys.readouterr().out
    assert 'Warning: Camera "Hall" of Gym may use old TLS' in told
    assert "Update its firmware" in told


@pytest.mark.parametrize(("more", "count"), [("", 0), ('tls_level = "modern"\n', 0), ('tls_level = "legacy"\n', 1)])
def test_scripts_get_the_warnings_as_a_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, count: int
) -> None:
    assert checked(tmp_path, more, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["warnings"]) == count


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("basic_auth = true\n", ["basic_auth", "Switch Digest on"]),
        ('source = "libav"\n', ["FFmpeg", "Take the line out"]),
    ],
)
def test_passwords_that_others_can_get_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, words: list[str]
) -> None:
    plain = GYM.replace("rtsps:", "rtsp:")
    (tmp_path / "tallenne.toml").write_text(plain + more)
    assert main(["config", "check", "--config", str(tmp_path / "tallenne.toml")]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ['Camera "Hall" of Gym', *words])


def test_another_level_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(tmp_path, 'tls_level = "none"\n') != 0
    assert "tls_level" in capsys.readouterr().err
