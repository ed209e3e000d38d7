"""The operator's own PostgreSQL (Debian's): what backup, drill and restore do then.

The database comes back from the operator's own copy, older than an expiry; everything else from our backup.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from custodian.client import CustodianClient
from domain.time import HOUR_NS
from pipeline.commands.backup.command import OWN_DATABASE
from runtime.settings import DatabaseSettings
from storage.backup import RecoveryKey
from tests.integration.pipeline.test_restore_command import (
    BACKUP,
    CERTIFICATES,
    EVER,
    Gym,
    copy_store,
    expired,
    import_films,
    members_and_events,
)
from tests.support.database.own_postgres import OwnPostgres, own_postgres, own_postgres_is_there
from tests.support.processes.started import started, tallenne, wait_for
from tests.support.processes.troubled_gym import TroubledGym, cameras, configuration

pytestmark = [
    pytest.mark.long,
    pytest.mark.services,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not own_postgres_is_there() or os.geteuid() != 0, reason="no PostgreSQL of Debian, or not root"),
]

OVER = "SELECT segment_id, header FROM segment JOIN camera USING (camera_id) WHERE name = 'camera 0' AND start_ns < $1"


@dataclass(slots=True)
class OwnGym(Gym):
    own: OwnPostgres | None = None

    def database(self) -> DatabaseSettings:
        assert self.own is not None
        return DatabaseSettings(
            host=str(self.own.directory),
            port=5432,
            database="tallenne",
            user="tallenne_owner",
            password=self.own.words["tallenne_owner"],
        )


def test_own_database_and_our_backup_bring_everything_back_and_nothing_that_ended(tmp_path: Path) -> None:
    os.environ["TALLENNE_NEW_PASSWORD"] = "a password of some length"
    with own_postgres() as own, cameras() as urls:
        old = OwnGym(tmp_path / "old", own=own)
        old.directory.mkdir()
        text = configuration(urls) + own.configuration(old.directory) + BACKUP
        (old.directory / "tallenne.toml").write_text(text)
        said = old.run("backup", "make-key")
        old.key = RecoveryKey.parse(next(line for line in said.splitlines() if line.count("-") == 13))
        with started(old.directory) as up:
            members_and_events(old, up)
            import_films(old, up)
            began_ns = time.time_ns() - HOUR_NS
            ended = old.ask(OVER, began_ns)
            assert len(ended) > 1
            own.back_up("copy")
            known = len(old.ask("SELECT FROM segment"))
            expired(old, up, "camera 0")
            wait_for(lambda: len(old.ask("SELECT FROM segment WHERE state = 'live'")) > known, 120)
            assert OWN_DATABASE in old.run("backup", "now")
            assert "its backup is yours to try" in old.run("backup", "drill", code=2)
            wait_for(lambda: not old.ask("SELECT FROM journal_outbox"), 60)
            certificates = [tuple(row) for row in old.ask(CERTIFICATES)]
            TroubledGym(directory=old.directory, process=up.process).power_cut()
        own.stop()
        own.bring_back("copy")  # first the database, as docs/BACKUP.md says
        new = OwnGym(tmp_path / "new", config="data/configuration/tallenne.toml", own=own)
        done = _restored(old, new)
        assert done["rows"] > 0  # stored since the operator's copy
        assert done["quarantined"] == 0, done
        with started(new.directory, new.config) as up:
            present = new.held()
            for table, wanted in old.rows.items():
                assert wanted <= present[table], table
            assert [tuple(row) for row in new.ask(CERTIFICATES)][: len(certificates)] == certificates
            opened = asyncio.run(_opened(new, ended))
            assert opened == 0
            verified = up.json("verify", *EVER)
            assert verified["ok"], verified
            assert verified["objects"] > 6


def _restored(old: Gym, new: Gym) -> dict[str, int]:
    new.directory.mkdir()
    shutil.copytree(old.directory / "backups", new.directory / "backups")
    shutil.copy(old.data / "custodian" / "keyring", new.directory / "keyring")
    assert old.key is not None
    (new.directory / "key").write_text(old.key.text())
    (new.directory / "key").chmod(0o600)
    words = ("restore", "--from", "backups", "--key-file", "key", "--keyring", "keyring")
    assert "The bucket holds no footage" in tallenne(new.directory, *words, code=2, timeout_s=300)
    copy_store(old, new.data)
    found: dict[str, int] = json.loads(tallenne(new.directory, *words, "--json", timeout_s=300))
    return found


async def _opened(new: Gym, ended: list[asyncpg.Record]) -> int:
    client = CustodianClient(new.data / "run" / "custodian.sock")
    by_rows = await client.open_for_verify([row["segment_id"] for row in ended])
    by_headers = await client.open_headers([row["header"] for row in ended])
    return len(by_rows.keys() | by_headers.keys())
