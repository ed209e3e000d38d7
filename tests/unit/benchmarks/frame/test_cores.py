"""Load and measured work run on different cores, and the process is unpinned afterwards."""

from __future__ import annotations

import os

import pytest

from benchmarks.frame.cores import pinned


def test_pinning_is_undone_whatever_happens_inside() -> None:
    before = os.sched_getaffinity(0)
    with pytest.raises(ZeroDivisionError), pinned():
        1 / 0  # noqa: B018
    assert os.sched_getaffinity(0) == before


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: nothing is pinned")
def test_measured_work_moves_to_the_other_core_and_back() -> None:
    with pinned() as cores:
        assert os.sched_getaffinity(0) == {cores.load}
        with cores.measuring():
            assert os.sched_getaffinity(0) == {cores.measured}
        assert os.sched_getaffinity(0) == {cores.load}
    assert cores.load != cores.measured


def test_single_core_is_shared_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    with pinned() as cores, cores.measuring():
        assert (cores.load, cores.measured, cores.usable) == (None, None, 1)
