"""Names that several sites have."""

from __future__ import annotations

import pytest

from pipeline.commands.naming import one_named
from pipeline.errors import SetupError

DOORS = [("Helsinki", "Main door"), ("Espoo", "Main door"), ("Espoo", "Yard")]


@pytest.mark.parametrize(
    ("name", "found"),
    [("yard", ("Espoo", "Yard")), ("Espoo/main DOOR", ("Espoo", "Main door")), ("helsinki/Main door", DOORS[0])],
)
def test_one_is_found(name: str, found: tuple[str, str]) -> None:
    assert one_named("door", name, DOORS, lambda door: door, SetupError) == found


@pytest.mark.parametrize(("name", "words"), [("Main door", "There are several doors"), ("Attic", "There is no door")])
def test_several_or_none_are_told(name: str, words: str) -> None:
    with pytest.raises(SetupError, match=words) as caught:
        one_named("door", name, DOORS, lambda door: door, SetupError)
    assert "Espoo/Main door" in caught.value.remedy
