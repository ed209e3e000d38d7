"""The record of what was published: private, whole or not there, read back as it was written."""

from __future__ import annotations

from pathlib import Path

from paper.content import Kind
from paper.language import LANGUAGES
from paper.published import differences
from pipeline.paper.record import FOLDER, all_papers, read_record, write_record
from tests.support.papers import facts_in


def test_record_is_read_back(tmp_path: Path) -> None:
    papers = all_papers(facts_in(tmp_path))
    assert read_record(tmp_path) == []
    write_record(tmp_path, papers, "2026-12-01T10:00:00+00:00")
    found = read_record(tmp_path)
    assert {(one.kind, one.language) for one in found} == {(kind, language) for kind in Kind for language in LANGUAGES}
    assert differences(found, papers) == [] and {one.at for one in found} == {"2026-12-01T10:00:00+00:00"}
    assert (tmp_path / FOLDER).stat().st_mode & 0o077 == 0
