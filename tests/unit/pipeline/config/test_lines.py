"""The line of an option, in nested arrays too."""

from __future__ import annotations

from pipeline.config.lines import line_of
from tests.support.configuration import GOOD


def test_line_of_finds_nested_arrays() -> None:
    assert line_of(GOOD, ("site", 0, "camera", 1, "url")) == 13
    assert line_of(GOOD, ("site", 0, "camera", 1, "missing")) == 11
    assert line_of(GOOD, ("door_system", 0)) == 23
    assert line_of(GOOD, ("nothing",)) == 1
