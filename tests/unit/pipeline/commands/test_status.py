"""Which level of protection `tallenne status` says: by who really runs what, and never better than can be seen."""

from __future__ import annotations

import pytest

from pipeline.commands import status
from pipeline.commands.status import _NOT_PROTECTED, protection_level

ALL = ("custodian", "index", "ingest", "serve")


def roles(**uids: int | None) -> list[dict[str, object]]:
    return [{"role": name, "state": "ready", "pid": uid} for name, uid in uids.items()]


@pytest.fixture(autouse=True)
def _uids_are_pids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_uid", lambda pid: pid)


def test_custodian_under_a_user_of_its_own_is_split() -> None:
    assert protection_level(roles(custodian=1, index=2, ingest=3, serve=4)) == "split"
    assert protection_level(roles(custodian=1, index=2, ingest=3, serve=2)) == "split"


@pytest.mark.parametrize(
    "uids",
    [
        {"custodian": 1, "index": 1, "ingest": 1, "serve": 1},
        {"custodian": 1, "index": 2, "ingest": 3, "serve": 1},
        {"custodian": 1, "index": 2, "ingest": 0, "serve": 4},  # root reads the keyring
        {"custodian": 1, "index": 2, "ingest": 3, "serve": 3},  # ingest's user could ask as the api does
        {"custodian": None, "index": 2, "ingest": 3, "serve": 4},  # hidden from us
        {"custodian": 1},
        {"ingest": 3, "serve": 4},
    ],
)
def test_anything_less_is_one_box(uids: dict[str, int | None]) -> None:
    assert protection_level(roles(**uids)) == "one box"


def test_one_of_two_recorders_under_the_custodians_user_is_one_box() -> None:
    both = [*roles(custodian=1, index=2, ingest=3, serve=4), *roles(ingest=1)]
    assert protection_level(both) == "one box"


def test_custodian_on_another_machine_is_elsewhere_unless_it_runs_here_after_all() -> None:
    assert protection_level(roles(ingest=3), ("ingest",)) == "elsewhere"
    assert protection_level(roles(ingest=3, custodian=3), ("ingest",)) == "one box"


def test_every_level_says_what_it_does_not_protect() -> None:
    assert set(_NOT_PROTECTED) == set(status._LEVELS)
    assert any("whole" in line or "machine" in line for line in _NOT_PROTECTED["one box"])
    assert any("keyring" in line for line in _NOT_PROTECTED["one box"])
