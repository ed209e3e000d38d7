"""The record of what was published: private, whole or not there, read back as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from paper.content import Kind
from paper.errors import PaperError
from paper.language import LANGUAGES
from paper.published import differences
from pipeline.paper.record import all_papers, read_record, write_record
from tests.support.papers import facts_in


def test_record_is_read_back(tmp_path: Path) -> None:
    papers, folder = all_papers(facts_in(tmp_path)), tmp_path / "papers"
    assert read_record(folder) == []
    write_record(folder, papers, "2026-12-01T10:00:00+00:00", {"fi": "1.12.2026", "en": "1 December 2026"})
    found = read_record(folder)
    assert {(one.kind, one.language) for one in found} == {(kind, language) for kind in Kind for language in LANGUAGES}
    assert differences(found, papers) == [] and {one.at for one in found} == {"2026-12-01T10:00:00+00:00"}
    assert folder.stat().st_mode & 0o077 == 0
    assert {path.name for path in folder.iterdir()} == {"published.json", "notice-fi.html", "notice-en.html"}


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"[" * 200_000], ids=["no text", "empty", "deep"])
def test_record_that_cannot_be_read_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "published.json").write_bytes(content)
    with pytest.raises(PaperError, match="damaged"):
        read_record(tmp_path)
