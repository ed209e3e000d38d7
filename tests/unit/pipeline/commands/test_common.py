"""Where a command finds configuration and data: by its arguments, else by the demo's."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands import common
from pipeline.errors import SetupError
from tests.support.commands import parsed
from tests.support.configuration import GOOD, written


class Place:
    """A command that has only ``--config`` and ``--data``."""

    add = staticmethod(common.add_place)


def test_data_of_the_configuration_counts_from_its_file_and_the_argument_goes_first(tmp_path: Path) -> None:
    config = written(tmp_path, f'data = "gym"\n{GOOD}')
    _, installation = common.place_of(parsed(Place, "--config", str(config)))
    assert installation.root == tmp_path / "gym"
    _, installation = common.place_of(parsed(Place, "--config", str(config), "--data", str(tmp_path / "other")))
    assert installation.root == tmp_path / "other"


def test_default_is_data_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, installation = common.place_of(parsed(Place, "--config", str(written(tmp_path, GOOD))))
    assert installation.root == tmp_path / "data"


def test_without_a_configuration_it_is_the_demos_or_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="There is no demo"):
        common.place_of(parsed(Place, "--data", str(tmp_path)))
    (tmp_path / "demo").mkdir()
    written(tmp_path / "demo", GOOD)
    loaded, installation = common.place_of(parsed(Place, "--data", str(tmp_path)))
    assert (loaded.config.site[0].name, installation.root) == ("Helsinki", tmp_path)


def test_command_beside_nothing_that_runs_says_how_to_start_it(tmp_path: Path) -> None:
    config = written(tmp_path, GOOD)
    with pytest.raises(SetupError, match="tallenne up"):
        common.settings_of(parsed(Place, "--config", str(config), "--data", str(tmp_path / "data")))
