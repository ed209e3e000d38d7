"""What the role remembers."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.backup import BackupPlaceError, RecoveryKey
from upkeep.backup.state import BackupState, has_keys, read_keys, write_keys
from upkeep.backup.writer import new_set


def test_state_comes_back_and_a_damaged_one_is_an_empty_one(tmp_path: Path) -> None:
    state = BackupState(current=new_set(), coming=None)
    assert state.current is not None
    state.current.sent = {"a": [1, "00"]}
    state.save(tmp_path)
    assert BackupState.load(tmp_path) == state
    assert state.current.set_key not in repr(state)
    (tmp_path / "state").write_text("{")
    assert BackupState.load(tmp_path) == BackupState()


def test_keys_come_back_and_missing_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(BackupPlaceError, match="make-key"):
        read_keys(tmp_path)
    keys = RecoveryKey.generate().writing()
    write_keys(tmp_path, keys)
    assert has_keys(tmp_path)
    assert (read_keys(tmp_path).public, read_keys(tmp_path).signer) == (keys.public, keys.signer)
    (tmp_path / "keys").write_text("{}")
    with pytest.raises(BackupPlaceError, match="damaged"):
        read_keys(tmp_path)
