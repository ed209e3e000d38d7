"""The alarms' file: private, whole, and no reason to be silent when the disk refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from alarms.state import journal
from alarms.state.journal import FILE, Journal
from runtime.errors import PrivateFileError


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "alarms")
    assert kept.load() == {}
    assert kept.save({"outbox": [1]})
    assert Journal(tmp_path / "alarms").load()["outbox"] == [1]
    assert (tmp_path / "alarms" / FILE).stat().st_mode & 0o077 == 0


def test_damaged_file_is_kept_beside(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "alarms")
    (tmp_path / "alarms" / FILE).write_text("{")
    (tmp_path / "alarms" / FILE).chmod(0o600)
    assert kept.load() == {}
    assert (tmp_path / "alarms" / "alarms.damaged").read_text() == "{"


def test_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "alarms")
    kept.save({})
    (tmp_path / "alarms" / FILE).chmod(0o644)
    with pytest.raises(PrivateFileError):
        kept.load()


def test_disk_that_refuses_is_said_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Journal(tmp_path / "alarms")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "write_private", refuse)
        assert not kept.save({"outbox": [1]})
    assert kept.refusal == "No space left on device"
    assert kept.save({"outbox": [1]})
    assert kept.refusal == ""
