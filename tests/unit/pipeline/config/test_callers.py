"""The users of the roles: the installation's own, or those that are named."""

from __future__ import annotations

import os

import pytest

from pipeline.config.callers import uids_of
from pipeline.config.model import Custodian, Users
from pipeline.errors import SetupError


def test_without_users_all_are_ones_own() -> None:
    uids = uids_of(Custodian())
    assert {uids.ingest, uids.index, uids.serve, uids.live, uids.operator} == {os.geteuid()}


def test_users_by_number_and_by_name() -> None:
    uids = uids_of(Custodian(users=Users(ingest="1", index="2", serve="3", live="4", operator="root")))
    assert (uids.ingest, uids.index, uids.serve, uids.live, uids.operator) == (1, 2, 3, 4, 0)
    with pytest.raises(SetupError, match="nobody-at-all"):
        uids_of(Custodian(users=Users(ingest="1", index="2", serve="3", live="nobody-at-all", operator="0")))
