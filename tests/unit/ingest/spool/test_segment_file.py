"""The two files of a segment while it is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.spool import (
    SegmentFile,
    SpoolError,
)
from tests.support.footage.recording import break_at
from tests.support.footage.spool_bench import Bench


@pytest.mark.parametrize("place", ["spool.begin.metadata", "spool.begin.header"])
def test_beginning_that_the_disk_refuses_leaves_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    break_at(monkeypatch, f"{place}=full")
    for _ in range(3):
        with pytest.raises(SpoolError):
            bench.begin()
    assert list(bench.spool.layout.segments.iterdir()) == []
    assert bench.spool.used_bytes == 0
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_closing_twice_closes_nobody_elses_descriptor(bench: Bench, tmp_path: Path) -> None:
    segment = bench.begin()
    segment.file.close()
    with (tmp_path / "one").open("w") as one, (tmp_path / "two").open("w") as two:  # take the numbers over
        segment.file.close()
        one.write("still open")
        two.write("still open")
    assert (tmp_path / "two").read_text() == "still open"


def test_segment_file_methods_after_close_refuse(bench: Bench) -> None:
    segment = bench.begin()
    file = segment.file
    assert isinstance(file, SegmentFile)
    bench.spool.abandon(file)
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.append(None, [b"x"])
