"""Children of the suite: one that ends early is an error that names it."""

from __future__ import annotations

import pytest

from benchmarks.frame.process import ChildError, child


def test_child_that_ends_early_is_an_error_that_names_it() -> None:
    with pytest.raises(ChildError, match="sink"), child("sink", "benchmarks.no_such_module", [], core=None) as sink:
        sink.wait_for("ready", 20)
