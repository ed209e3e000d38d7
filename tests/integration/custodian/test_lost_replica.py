"""A replica of the keyring that is lost is an alarm, while the custodian works."""

from __future__ import annotations

from pathlib import Path

import pytest

from alarms.conditions import Kind
from alarms.settings import WatchSettings
from alarms.watch.observer import Observer
from alarms.watch.snapshot import look
from tests.conftest import Database
from tests.support.footage.custodian import custodian, custodian_settings, until

pytestmark = pytest.mark.services


async def test_lost_replica_of_the_keyring_is_an_alarm(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custodian.role.KEYRING_EVERY_S", 0.1)
    replica = tmp_path / "elsewhere" / "keyring"
    settings = custodian_settings(database.custodian, tmp_path, keyring_replicas=(replica,))
    observer = Observer(WatchSettings(), ())

    async def raised() -> bool:
        seen = observer.look(look(settings.run_directory, {}, tmp_path))
        return any(one.kind is Kind.PROBLEM and str(replica) in one.what for one in seen.conditions)

    async with custodian(settings):
        assert replica.exists()
        assert not await raised()
        replica.unlink()
        await until(raised, seconds=20)
