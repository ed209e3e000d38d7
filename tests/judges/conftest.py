"""``--seek-times N``: every judge is asked for N times of every film. tests/README.md."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seek-times", type=int, default=None, help="how many times every judge is asked for")


@pytest.fixture
def seek_times(request: pytest.FixtureRequest) -> int | None:
    """None: as many as fit into ``./test``."""
    found = request.config.getoption("--seek-times", default=None)
    return None if found is None else int(found)
