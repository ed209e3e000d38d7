"""The last believed time and an operator's word, across restarts."""

from __future__ import annotations

from pathlib import Path

import pytest

from custodian.errors import CustodianMisuseError
from custodian.expiry.tick import Confirmation, RetentionClock
from domain.time import MINUTE_NS
from runtime.errors import PrivateFileError

WORD = Confirmation(at_ns=500 * MINUTE_NS, up_to_ns=400 * MINUTE_NS, camera_hours=7, actor="operator:0")


def test_time_is_kept_at_least_each_minute_and_never_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    clock = RetentionClock(path)
    assert clock.tick_ns is None
    clock.advance(10 * MINUTE_NS)
    clock.advance(10 * MINUTE_NS + 1)
    assert RetentionClock(path).tick_ns == 10 * MINUTE_NS  # not each look costs a write
    clock.advance(11 * MINUTE_NS)
    clock.advance(5 * MINUTE_NS)
    assert clock.tick_ns == RetentionClock(path).tick_ns == 11 * MINUTE_NS


def test_confirmation_survives_and_sets_the_time(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    RetentionClock(path).confirm(WORD)
    found = RetentionClock(path)
    assert found.confirmation == WORD
    assert found.tick_ns == WORD.at_ns
    found.advance(WORD.at_ns + MINUTE_NS)
    assert RetentionClock(path).confirmation == WORD


def test_damaged_or_open_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    RetentionClock(path).advance(1)
    path.write_text("{")
    with pytest.raises(CustodianMisuseError, match="damaged"):
        RetentionClock(path)
    path.chmod(0o644)
    with pytest.raises(PrivateFileError):
        RetentionClock(path)
