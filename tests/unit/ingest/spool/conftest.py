"""Fixtures of the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.spool import (
    Spool,
)
from storage.keys import RecorderIdentity
from tests.support.footage.recording import rig
from tests.support.footage.sealed import new_world
from tests.support.footage.spool_bench import Bench

__all__ = ["rig"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(None, new_world(), RecorderIdentity.create(bytes(32)), tmp_path / "spool")  # type: ignore[arg-type]
    made.spool = Spool(made.settings())
    yield made
    made.spool.close()
