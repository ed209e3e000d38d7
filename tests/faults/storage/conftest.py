"""``--rounds N``: each place is struck at N different hits; ``--seed``; ``--figures FILE``: what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=1, help="how often each place is struck")
    parser.addoption("--seed", type=int, default=1, help="of what is recorded")
    parser.addoption("--figures", type=Path, default=None, help="a file that figures are appended to")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--rounds", default=1))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--seed", default=1))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Path | None:
    found = request.config.getoption("--figures", default=None)
    return None if found is None else Path(found)
