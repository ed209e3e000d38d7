"""Secrets in files: made once, private, and refused with a remedy where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SetupError
from pipeline.secret_files import read_secret, secret


def test_secret_is_made_once_private_and_long(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = secret(path)
    assert len(made) >= 40
    assert path.stat().st_mode & 0o777 == 0o600
    assert secret(path) == made == read_secret(path)
    assert secret(tmp_path / "other") != made


def test_blanks_around_a_secret_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text("  word \n")
    assert read_secret(path) == "word"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622, 0o601])
def test_secret_that_others_may_touch_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    path.write_text("word")
    path.chmod(mode)
    with pytest.raises(SetupError, match=f"chmod 600 {path}"):
        read_secret(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "holds no text"),
        (None, "cannot be read"),
    ],
)
def test_file_without_a_secret_is_refused(tmp_path: Path, data: bytes | None, words: str) -> None:
    path = tmp_path / "secret"
    if data is not None:
        path.touch(mode=0o600)
        path.write_bytes(data)
    with pytest.raises(SetupError, match=words):
        read_secret(path)
