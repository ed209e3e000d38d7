"""Fixtures of the tests in this folder."""

from __future__ import annotations

import pytest

from domain.time import NS
from tests.support.cameras.video import encoded, units
from tests.support.footage.shelf import Shelf


@pytest.fixture
def shelf() -> Shelf:
    """Twelve seconds in six segments, a gap of five seconds in the middle."""
    made = Shelf()
    end_ns = made.film(units(encoded(6, gop=25)))
    made.film(units(encoded(6, gop=25)), end_ns + 5 * NS)
    assert len(made.segments) == 6
    return made
