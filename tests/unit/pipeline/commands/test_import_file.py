"""`tallenne import`: what it needs, which camera it means, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.commands import import_file
from pipeline.errors import SetupError
from tests.support.commands import parsed, settings_in
from tests.support.configuration import GOOD

TWO_SITES = (
    GOOD
    + GOOD.split("[[site.camera]]")[0].replace("Helsinki", "Espoo")
    + (
        '[[site.camera]]\nname = "Weights"\nurl = "rtsp://192.168.2.9/one"\nzone = "gym"\n'
        'purpose = "safety"\nassessment = "2026-2"\n'
    )
)


@pytest.mark.parametrize("words", [(), ("hall.mp4",), ("hall.mp4", "--camera", "Hall"), ("--camera", "Hall")])
def test_incomplete_arguments_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(SetupError, match="nothing to import"):
        import_file.run(parsed(import_file, *words))


def test_camera_is_found_by_its_name_or_by_its_sites(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, TWO_SITES)
    assert import_file.named_camera(settings, "Entrance").name == "Entrance"
    here, there = (import_file.named_camera(settings, f"{site}/Weights") for site in ("Helsinki", "Espoo"))
    assert here.camera_id != there.camera_id
    with pytest.raises(SetupError, match="several"):
        import_file.named_camera(settings, "Weights")
    with pytest.raises(SetupError, match="no camera 'Sauna'"):
        import_file.named_camera(settings, "Sauna")


def test_nothing_to_resume_is_said_and_null_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    import_file._say(None, as_json=False)
    import_file._say(None, as_json=True)
    words, script = capsys.readouterr().out.splitlines()
    assert "no interrupted import" in words
    assert json.loads(script) is None
