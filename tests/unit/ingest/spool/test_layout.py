"""Names in a spool directory: built and recognized in one place."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from domain.ids import SegmentId
from ingest.spool.layout import Place, SpoolLayout, place_of

PLACE = Place(Path("/spool/segments"), 1_790_000_000_000_000_000, SegmentId(UUID(int=7)))


def test_files_of_a_segment_lead_back_to_it() -> None:
    for path in (PLACE.part, PLACE.ready, PLACE.metadata):
        assert place_of(path) == PLACE
    assert [path.suffix for path in (PLACE.part, PLACE.ready, PLACE.metadata)] == [".part", ".tlns", ".metadata"]


@pytest.mark.parametrize("name", ["lock", "x.part", "1-2.tlns", f"{PLACE.stem}.new", f"{PLACE.stem}x.part", PLACE.stem])
def test_other_names_belong_to_no_segment(name: str) -> None:
    assert place_of(PLACE.folder / name) is None


def test_folders_are_closed_to_others(tmp_path: Path) -> None:
    layout = SpoolLayout(tmp_path / "spool")
    layout.make()
    layout.make()
    layout.sync()
    for folder in (layout.directory, layout.segments, layout.cameras, layout.damaged, layout.spare):
        assert folder.stat().st_mode & 0o777 == 0o700
