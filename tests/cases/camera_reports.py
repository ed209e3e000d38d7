"""The reports about cameras (../shared/cases/cameras) as modules. They name files as they were at revision 73091f6."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
def report(name: str) -> Iterator[ModuleType]:
    """The report's run.py, not run; the test is skipped where it is absent."""
    folder = CASES / "cameras" / name
    if not folder.is_dir():
        pytest.skip(f"../shared/cases/cameras/{name} is absent")
    before = dict(sys.modules)
    sys.modules.update({old: importlib.import_module(new) for old, new in _MOVED.items()})
    sys.path.insert(0, str(folder.parent))
    try:
        spec = importlib.util.spec_from_file_location(f"report_{name}", folder / "run.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path[:] = [place for place in sys.path if place != str(folder.parent)]
        for added in set(sys.modules) - set(before):
            if added in _MOVED or added == "camera":
                del sys.modules[added]
