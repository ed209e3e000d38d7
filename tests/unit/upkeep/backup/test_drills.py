"""Signed reports of drills."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.backup import BackupDamagedError, RecoveryKey
from upkeep.backup.drills import newest_drill, read_drill, write_drill


def test_report_is_read_back_and_a_changed_one_refused(tmp_path: Path) -> None:
    keys = RecoveryKey.generate().writing()
    path = write_drill(tmp_path, {"at_ns": 5, "ok": False}, keys)
    assert read_drill(path, keys.signer) == {"at_ns": 5, "ok": False}
    for signer, text in ((keys.signer, path.read_text().replace("false", "true")), (bytes(32), path.read_text())):
        path.write_text(text)
        with pytest.raises(BackupDamagedError):
            read_drill(path, signer)


def test_newest_one_and_the_newest_good_one_are_known(tmp_path: Path) -> None:
    assert newest_drill(tmp_path) == {"drill_ns": 0, "drill_ok": True, "good_drill_ns": 0}
    keys = RecoveryKey.generate().writing()
    for at_ns, ok in ((900, True), (1000, True), (2000, False)):
        write_drill(tmp_path, {"at_ns": at_ns, "ok": ok}, keys)
    assert newest_drill(tmp_path) == {"drill_ns": 2000, "drill_ok": False, "good_drill_ns": 1000}
