"""What every section refuses: control characters, quoted numbers, a host that is none."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.config.sections.section import Host, Name, Section, default_of
from upkeep.backup.settings import BackupPeriods


class Example(Section):
    name: Name = "x"
    host: Host = "here"
    size: int = 1
    on: bool = False


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a\x1b[2J"}, "control character"),
        ({"name": "a\u202eb"}, "control character"),
        ({"host": "https://there"}, "not a host"),
        ({"size": "3"}, "without quotes"),
        ({"on": 1}, "true or false"),
        ({"other": 1}, "Extra inputs"),
    ],
)
def test_what_would_mean_something_else_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Example.model_validate(given)


def test_defaults_are_those_of_the_roles_settings() -> None:
    assert default_of(BackupPeriods, "keep_d") == BackupPeriods().keep_d == 35
    assert Example().model_dump() == {"name": "x", "host": "here", "size": 1, "on": False}
