"""Failpoints strike, and the tests' way of setting them reaches every module that has one."""

from __future__ import annotations

import errno
import importlib

import pytest

from runtime import failpoints
from runtime.failpoints import Failpoints
from tests.house.tree import module_of, source, work_tree
from tests.support.faults.failpoints import users
from tests.support.footage.recording import break_at

IMPORTING = [
    module_of(path) for path, text in source(work_tree()).items() if "from runtime.failpoints import hit" in text
]


def test_every_module_with_a_failpoint_is_broken_and_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told by the function, not by the package's name: a module that moves must not drop out unseen."""
    assert {"ingest.recording.uploader", "storage.catalogue.repairs", "upkeep.inspection.restore"} <= set(IMPORTING)
    modules = [importlib.import_module(name) for name in IMPORTING]
    whole = failpoints.hit
    assert set(modules) < set(users())
    for place in ("first", "second"):
        break_at(monkeypatch, f"{place}=error")
        for module in (*modules, failpoints):
            with pytest.raises(OSError, match=place):
                module.hit(place)
    monkeypatch.undo()
    assert all(module.hit is whole for module in (*modules, failpoints))


def test_place_strikes_at_the_hit_that_is_named() -> None:
    points = Failpoints("here=full@2")
    points.hit("here")
    points.hit("there")
    with pytest.raises(OSError, match="here") as caught:
        points.hit("here")
    assert caught.value.errno == errno.ENOSPC
    points.hit("here")


def test_unknown_action_is_refused() -> None:
    with pytest.raises(ValueError, match="explode"):
        Failpoints("here=explode")
