"""The directory of imports: one at a time, all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.ids import CameraId, new_id
from domain.time import Span
from ingest.importing.workplace import ImportBusyError, Note, Workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path / "import")


NOTE = Note(camera_id=CameraId(new_id()), camera_name="Hall", span=Span(5, 9), segments=2, pictures=50)


def test_sealed_import_waits_with_its_note_and_leaves_nothing_when_done(place: Workplace) -> None:
    with place.taken():
        place.begin()
        (place.staging / "spool").mkdir()
        assert place.note() is None
        place.complete(NOTE)
        assert place.note() == NOTE
        assert (place.ready / "spool").is_dir()
        assert not place.staging.exists()
        place.done()
    assert place.note() is None
    assert [path.name for path in place.directory.iterdir()] == ["lock"]


def test_next_import_deletes_what_was_staged_and_keeps_what_is_ready(place: Workplace) -> None:
    with place.taken():
        place.begin()
        place.complete(NOTE)
        place.begin()
        (place.staging / "half").touch()
    with place.taken():
        assert not place.staging.exists()
        assert place.note() == NOTE


def test_second_import_is_refused_while_one_runs(place: Workplace) -> None:
    with place.taken(), pytest.raises(ImportBusyError, match="Another import"), Workplace(place.directory).taken():
        pass
    with place.taken():
        pass


def test_directory_is_closed_to_others_and_the_note_names_no_file(place: Workplace) -> None:
    with place.taken():
        place.begin()
        assert place.staging.stat().st_mode & 0o77 == 0
        place.complete(NOTE)
        assert set((place.ready / "note.json").read_text().replace('"', " ").split()) >= {"Hall"}
        assert (place.ready / "note.json").stat().st_mode & 0o77 == 0
