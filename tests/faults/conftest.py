"""``--rounds N``: each place is struck N times; ``--seed``; ``--figures FILE``: results. tests/faults/README.md."""

from __future__ import annotations

from pathlib import Path

import pytest

ROUNDS = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=None, help="how often each place is struck")
    parser.addoption("--seed", type=int, default=1, help="of what is recorded, and of when things break")
    parser.addoption("--figures", type=Path, default=None, help="a file that figures are appended to")
    parser.addoption("--only", default=None, help="of the campaign's troubles those that begin so: A,B")
    parser.addoption("--outage-hours", type=float, default=None, help="how long the object store is away")


@pytest.fixture
def outage_hours(request: pytest.FixtureRequest) -> float | None:
    """None: as long as fits into ``./test``."""
    found = request.config.getoption("--outage-hours", default=None)
    return None if found is None else float(found)


@pytest.fixture
def rounds_asked(request: pytest.FixtureRequest) -> int | None:
    """None: as many as fit into ``./test``."""
    found = request.config.getoption("--rounds", default=None)
    return None if found is None else int(found)


@pytest.fixture
def only(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--only", default=None) or "")


@pytest.fixture
def rounds(rounds_asked: int | None) -> int:
    return rounds_asked or ROUNDS


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--seed", default=1))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Path | None:
    found = request.config.getoption("--figures", default=None)
    return None if found is None else Path(found)
