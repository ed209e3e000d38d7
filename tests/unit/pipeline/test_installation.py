"""The data directory: which paths it may have, and what it remembers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SetupError
from pipeline.installation import Installation


@pytest.mark.parametrize("name", ["two\nlines", "bell\x07", "\udcff"])
def test_a_path_that_other_programs_cannot_be_told_is_refused_before_anything_is_made(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(SetupError, match="--data"):
        Installation(tmp_path / name).prepare()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["Työpöytä", "Gym (1) x", "東\u3000京"])
def test_other_paths_are_taken(tmp_path: Path, name: str) -> None:
    Installation(tmp_path / name).prepare()
    assert (tmp_path / name / "run").is_dir()
