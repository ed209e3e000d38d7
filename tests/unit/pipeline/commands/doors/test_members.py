"""`tallenne members import`: the number that confirms needs what it confirms."""

from __future__ import annotations

import pytest

from pipeline.commands.doors import members
from pipeline.errors import SetupError
from tests.support.commands import parsed


def test_confirmation_without_ending_is_refused() -> None:
    with pytest.raises(SetupError, match="--confirm"):
        members.run(parsed(members, "import", "members.csv", "--confirm", "3"))


@pytest.mark.parametrize(
    "words", [(), ("import",), ("import", "a.csv", "--end-missing", "--confirm", "-1"), ("remove",)]
)
def test_arguments_that_do_not_parse_end_with_usage(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        parsed(members, *words)
