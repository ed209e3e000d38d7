"""The reports about cameras (../shared/cases/cameras) as modules. They name files as they were at revision 73091f6."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from tests.cases.shared import CASES

_MOVED = {
    "tests.support.recording": "tests.support.footage.recording",
    "tests.support.sealed": "tests.support.footage.sealed",
    "tests.support.rtp": "tests.support.cameras.rtp",
    "tests.support.video": "tests.support.cameras.video",
}


@contextmanager
def report_text(name: str) -> Iterator[Callable[[], None]]:
    """A report's run.py that does all its work when it is loaded: call it to load it."""
    with _reports(name) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield _load(name, folder)[1]


@contextmanager
def report(name: str) -> Iterator[ModuleType]:
    """The report's run.py, not run; the test is skipped where it is absent."""
    with _reports(name) as folder:
        module, run = _load(name, folder)
        run()
        yield module


def _load(name: str, folder: Path) -> tuple[ModuleType, Callable[[], None]]:
    spec = importlib.util.spec_from_file_location(f"report_{name}", folder / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module, loader = importlib.util.module_from_spec(spec), spec.loader
    return module, lambda: loader.exec_module(module)


@contextmanager
def _reports(name: str) -> Iterator[Path]:
    """Its folder, with the names that it imports in place."""
    folder = CASES / "cameras" / name
    if not folder.is_dir():
        pytest.skip(f"../shared/cases/cameras/{name} is absent")
    added = {old: importlib.import_module(new) for old, new in _MOVED.items()}
    sys.modules.update(added)
    sys.path.insert(0, str(folder.parent))
    try:
        yield folder
    finally:
        sys.path.remove(str(folder.parent))
        for module in (*added, "camera"):
            sys.modules.pop(module, None)
