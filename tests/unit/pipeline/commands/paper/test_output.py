"""Where a paper goes: a file of the operator's, and the date that stands on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands.paper import command
from pipeline.commands.paper.output import date_in
from pipeline.errors import SetupError
from tests.support.commands import parsed
from tests.support.configuration import written
from tests.support.papers import FULL


def test_file_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    place = ("--config", str(written(tmp_path, FULL)), "-o", str(tmp_path / "no" / "such.html"))
    with pytest.raises(SetupError, match=r"cannot be written .*Name a file of yours with -o"):
        command.run(parsed(command, "notice", *place))


def test_date_is_written_as_its_language_does() -> None:
    assert date_in("fi", "2026-12-01T12:00:00+00:00") == "1.12.2026"
    assert date_in("en", "2026-12-01T12:00:00+00:00") == "1 December 2026"
