"""Reading a configuration: good, broken, with secrets, as editors save it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.config.load import load
from pipeline.errors import SetupError
from tests.support.configuration import GOOD, mistakes, written


def test_a_good_file_loads(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD)).config
    assert [camera.name for camera in config.site[0].camera] == ["Entrance", "Weights"]


def test_the_example_is_correct_once_its_secret_is_there(tmp_path: Path) -> None:
    text = files("pipeline.config").joinpath("example.toml").read_text()
    path = written(tmp_path, text)
    (said,) = mistakes(tmp_path, text)
    assert "secrets/entrance-camera" in said
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "entrance-camera"
    secret.write_text("word")
    secret.chmod(0o600)
    assert load(path).config.site[0].camera[0].password is not None


def test_the_example_names_every_option() -> None:
    from pydantic import BaseModel

    from pipeline.config.model import Config

    def options(model: type[BaseModel]) -> set[str]:
        found = set(model.model_fields)
        for field in model.model_fields.values():
            for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
                if isinstance(part, type) and issubclass(part, BaseModel):
                    found |= options(part)
        return found

    text = files("pipeline.config").joinpath("example.toml").read_text()
    assert {name for name in options(Config) if name not in text} == set()


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, GOOD + 'name = "x\n')
    assert said.startswith("line 26: ")


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "word"
    secret.write_text("x")
    secret.chmod(0o644)
    text = GOOD.replace('zone = "hall"', 'zone = "hall"\npassword = { file = "word" }')
    (said,) = mistakes(tmp_path, text)
    assert "can be read by others" in said
    assert "chmod 600" in said


def test_no_file_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="config example"):
        load(tmp_path / "nothing.toml")


def test_nesting_without_end_is_no_traceback(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, "a = " + "[" * 5000)
    assert "nested too deeply" in found or "not TOML" in found


def test_a_file_that_notepad_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tallenne.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(path).config.site[0].name == "Helsinki"
