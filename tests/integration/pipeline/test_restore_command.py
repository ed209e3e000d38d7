"""A gym is backed up while it records, its machine is lost, and everything comes back in an empty directory.

Members, door events, tags, a case, accounts, the audit chain and the footage: from the last backup, the bucket and a
copy of the keyring. No backup holds the keyring.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from custodian.client import CustodianClient
from domain.time import HOUR_NS, Span, hour_of, to_iso
from pipeline.commands.backup import command as backup_command
from pipeline.embedded.postgres import start_postgres
from pipeline.errors import SetupError
from runtime.database import connect
from runtime.failpoints import VARIABLE
from runtime.settings import DatabaseSettings
from storage.backup import BackupDirectory, RecoveryKey
from storage.backup.sealing import open_part
from storage.keys.keyring_file import KeyringFile
from tests.support.cameras.video import encoded, written
from tests.support.footage.custodian import add_staff
from tests.support.processes.started import Started, started, tallenne, wait_for
from tests.support.processes.troubled_gym import Door, TroubledGym, cameras, configuration
from upkeep.backup.drills import read_drill
from upkeep.backup.parts import LogPart
from upkeep.backup.reader import choose, key_of
from upkeep.backup.state import BackupState

pytestmark = [pytest.mark.services, pytest.mark.timeout(1200)]

BACKUP = '\n[backup]\ndirectory = "backups"\nevery_s = 10\n'
KEPT = ("member", "member_identity", "access_event", "tag", "case_file", "case_entry", "staff", "staff_grant")
CASE = """
INSERT INTO case_file (case_id, number, title, reason, opened_by, opened_ns, review_ns)
SELECT $1, '2026-1', 'A fall', 'the insurer asks', staff_id, $2, $2 FROM staff LIMIT 1
"""
NOTE = """
INSERT INTO case_entry (case_id, kind, staff_id, added_ns, note)
SELECT case_id, 'note', opened_by, opened_ns, 'The insurer rang.' FROM case_file
"""
CERTIFICATES = "SELECT number, body, signature FROM certificate ORDER BY number"
FILM_S = 15.0  # two segments
EVER = ("--start", "2020-01-01T00:00Z", "--end", "2100-01-01T00:00Z")
KILLS = int(os.environ.get("TALLENNE_KILLS", "1"))
OFTEN = {"restore.file": 1000, "restore.log": 2}  # hits that every restoration has
SHOWN = ("--from", "backups", "--key-file", "key", "--keyring", "keyring")


@dataclass(slots=True)
class Gym:
    """One machine: a directory with its configuration, backups and ``data``."""

    directory: Path
    config: str = "tallenne.toml"
    key: RecoveryKey | None = None
    rows: dict[str, set[str]] = field(default_factory=dict)  # that the last backup must hold
    certificates: list[tuple[Any, ...]] = field(default_factory=list)  # at the end

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def ask(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        return asyncio.run(self._ask(statement, *values))

    def database(self) -> DatabaseSettings:
        endpoints = json.loads((self.data / "run" / "endpoints.json").read_text())
        return DatabaseSettings(
            host=endpoints["database"]["host"],
            port=5432,
            database="tallenne",
            user="tallenne_owner",
            password=(self.data / "postgres" / "owner.secret").read_text().strip(),
        )

    async def _ask(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        conn = await connect(self.database())
        try:
            return list(await conn.fetch(statement, *values))
        finally:
            await conn.close()

    def held(self) -> dict[str, set[str]]:
        return {table: {row[0] for row in self.ask(f"SELECT md5(t::text) FROM {table} t")} for table in KEPT}

    def sent_ns(self) -> int:
        """Everything committed before is in the newest backup."""
        current = BackupState.load(self.data / "backup").current
        return current.last_ns if current is not None else 0

    def run(self, *words: str | Path, code: int | None = 0) -> str:
        return tallenne(self.directory, *words, "--config", self.config, code=code, timeout_s=300)


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gym]:
    """A gym that worked for a while, was tried in a drill, and whose machine then died at once."""
    gym = Gym(tmp_path_factory.mktemp("old"))
    os.environ["TALLENNE_NEW_PASSWORD"] = "a password of some length"
    with cameras() as urls:
        (gym.directory / "tallenne.toml").write_text(configuration(urls) + BACKUP)
        said = gym.run("backup", "make-key")
        gym.key = RecoveryKey.parse(next(line for line in said.splitlines() if line.count("-") == 13))
        with started(gym.directory) as up:
            _work(gym, up)
            _drill(gym)
            shutil.copytree(gym.directory / "backups", gym.directory / "older")
            known = len(gym.ask("SELECT FROM segment"))
            wait_for(lambda: len(gym.ask("SELECT FROM segment")) > known, 60)  # footage that no older backup knows
            asyncio.run(_restrict(gym))
            wait_for(lambda: not gym.ask("SELECT FROM journal_outbox"), 60)
            gym.certificates = [tuple(row) for row in gym.ask(CERTIFICATES)]
            TroubledGym(directory=gym.directory, process=up.process).power_cut()
        yield gym


def _work(gym: Gym, up: Started) -> None:
    import_films(gym, up)
    expired(gym, up, "camera 1")
    members_and_events(gym, up)
    written_ns = time.time_ns()
    wait_for(lambda: gym.sent_ns() > written_ns, 60)


def members_and_events(gym: Gym, up: Started) -> None:
    """A gym's working day. Its rows are noted."""
    people = gym.directory / "members.csv"
    people.write_text("number,name,credential\n17,Aino Aalto,04A1\n18,Bea Berg,04A2\n")
    up.run("members", "import", people)
    up.run("staff", "add", "anna", "--name", "Anna", "--role", "exporter")
    gym.ask(CASE, uuid.uuid4(), time.time_ns())
    gym.ask(NOTE)
    with Door(TroubledGym(directory=gym.directory)) as door:
        wait_for(lambda: len(door.acknowledged) > 20, 60)
    wait_for(lambda: gym.ask("SELECT FROM tag LIMIT 1"), 120)
    wait_for(lambda: len(gym.ask("SELECT FROM segment WHERE state = 'live'")) > 6, 120)
    time.sleep(2)  # the tagger's last round
    gym.rows = gym.held()


def import_films(gym: Gym, up: Started) -> None:
    """Footage of some hours ago, of both cameras."""
    film = written(gym.directory / "film.mp4", encoded(FILM_S))
    start = to_iso(hour_of(time.time_ns()) - 5 * HOUR_NS)
    for camera in ("camera 0", "camera 1"):
        up.run("import", film, "--camera", camera, "--start", start)


def expired(gym: Gym, up: Started, camera: str) -> None:
    """Its retention is shortened to an hour, an operator confirms that, and a certificate says what has ended."""
    before = len(gym.ask(CERTIFICATES))
    gym.ask("UPDATE camera SET retention_s = 3600 WHERE name = $1", camera)
    wait_for(lambda: json.loads(gym.run("retention", "status", "--json", code=None))["shorter"], 60)
    up.run("retention", "confirm", "--yes")
    wait_for(lambda: len(gym.ask(CERTIFICATES)) > before, 60)


async def _restrict(gym: Gym) -> None:
    """After the older backup: a member of staff who is not in it closes footage by a case that is."""
    conn = await connect(gym.database())
    try:
        staff = await add_staff(conn, roles=("exporter",))
        await conn.execute("UPDATE staff_session SET stepped_up_ns = $1", time.time_ns())
        case_id = await conn.fetchval("SELECT case_id FROM case_file")
        row = await conn.fetchrow(
            "SELECT camera_id, min(start_ns) AS first, max(end_ns) AS last FROM segment GROUP BY 1"
        )
        await CustodianClient(gym.data / "run" / "custodian.sock").place_hold(
            case_id,
            kind="restriction",
            camera_id=row["camera_id"],
            span=Span(row["first"], row["last"]),
            session_id=staff.session_id,
            purpose_id=staff.purpose_id,
        )
    finally:
        await conn.close()


def _drill(gym: Gym) -> None:
    report = json.loads(gym.run("backup", "drill", "--json"))
    assert report["ok"], report
    assert report["samples"] == report["opened"] > 0
    assert report["rows"] > 100
    assert gym.key is not None
    assert read_drill(Path(report["file"]), gym.key.writing().signer)["rows"] == report["rows"]
    wait_for(lambda: "last good drill 20" in gym.run("status", code=None), 30)
    state = json.loads((gym.data / "run/backup-0.json").read_text())
    assert (state["state"], state["problems"]) == ("ready", []), state["problems"]


def everything_in(place: Path, key: RecoveryKey) -> bytes:
    """All parts of the newest set, opened, what is compressed as it was before, and all as it lies there."""

    async def read() -> bytes:
        shelf = BackupDirectory(place)
        listing = await choose(shelf)
        set_key = await key_of(shelf, listing.set_id, key)
        names = [name for name in sorted(listing.names) if name != "head"]
        parts = {name: open_part(name, await shelf.get(f"{listing.set_id}/{name}"), set_key) for name in names}
        copy = zlib.decompress(b"".join(data for name, data in parts.items() if name.startswith("base-")))
        logs = [LogPart.unpack(data) for name, data in parts.items() if name.startswith("log-")]
        files = [change.data or b"" for log in logs for change in log.files]
        return b"".join([copy, *(log.wal for log in logs), *files])

    lying = b"".join(path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file())
    return asyncio.run(read()) + lying


def findable(secret: bytes) -> tuple[bytes, ...]:
    return secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"="), base64.urlsafe_b64encode(secret)[:40]


def test_no_key_of_the_keyring_is_in_a_backup(lost: Gym) -> None:
    assert lost.key is not None
    whole = everything_in(lost.directory / "backups", lost.key)
    keyring = KeyringFile(lost.data / "custodian" / "keyring").read()
    assert keyring is not None
    assert len(keyring.entries) > 50
    # A dozen of them: what takes some takes all, and each is looked for in four forms.
    some = random.Random(1).sample(sorted(keyring.entries.items()), 12)
    assert not [name for name, key in some if any(form in whole for form in findable(key))]
    # The controls: the search finds a key that is there, and what the database holds.
    keys = json.loads((lost.data / "custodian" / "custodian-keys").read_text())
    assert any(form in whole for form in findable(bytes.fromhex(keys["signing"])))
    assert b"Aino Aalto" in whole
    lying = b"".join(path.read_bytes() for path in (lost.directory / "backups").rglob("*") if path.is_file())
    assert b"Aino Aalto" not in lying
    assert not any(form in lying for form in findable(bytes.fromhex(keys["signing"])))


def test_lost_machine_comes_back_from_backup_bucket_and_keyring(lost: Gym, tmp_path: Path) -> None:
    assert lost.key is not None
    new = Gym(tmp_path, config="data/configuration/tallenne.toml")
    shutil.copytree(lost.directory / "older", tmp_path / "backups")
    shutil.copy(lost.data / "custodian" / "keyring", tmp_path / "keyring")
    for name, key in (("key", lost.key), ("wrong", RecoveryKey.generate())):
        (tmp_path / name).write_text(key.text())
        (tmp_path / name).chmod(0o600)

    def restore(*words: str, code: int) -> str:
        return tallenne(tmp_path, "restore", *words, code=code, timeout_s=300)

    assert "whole sets" in restore("--from", "backups", "--list", code=0)
    assert "another recovery key" in restore("--from", "backups", "--key-file", "wrong", code=2)
    assert "no keyring at" in restore("--from", "backups", "--key-file", "key", code=2)
    assert "is not finished" in tallenne(tmp_path, "up", "--data", "data", "--config", new.config, code=2)
    assert "The bucket holds no footage" in restore(*SHOWN, code=2)
    copy_store(lost, tmp_path / "data")
    done = json.loads(restore(*SHOWN, "--json", code=0))
    assert done["quarantined"] == 0, done
    assert done["rows"] > 0  # stored since
    assert done["journal"]["rows"]["hold"] == 1
    assert "is not empty" in restore(*SHOWN, code=2)
    with started(tmp_path, new.config) as up:
        present = new.held()
        for table, wanted in lost.rows.items():
            assert wanted
            assert wanted <= present[table], table
        audit = up.json("audit", "verify")
        assert audit["ok"], audit
        assert audit["lost"]  # the entries of after the backup, on record
        assert [row["kind"] for row in new.ask("SELECT kind FROM hold WHERE ended_ns IS NULL")] == ["restriction"]
        assert new.ask("SELECT * FROM retention_pause")  # until an operator confirms
        verified = up.json("verify", *EVER)
        assert verified["ok"], verified
        assert verified["objects"] > 6
        wait_for(new.sent_ns, 120)  # backups go on, in a set of their own
        assert "Anna" in str(new.ask("SELECT display_name FROM staff"))
        _certified(new, up, lost.certificates)


def copy_store(lost: Gym, data: Path) -> None:
    """The bucket outlives the machine."""
    shutil.copytree(lost.data / "store", data / "store", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))


def _certified(new: Gym, up: Started, before: list[tuple[Any, ...]]) -> None:
    """Certificates are what they were, and all verify offline. Younger ones than the backup: test_own_database.py."""
    assert before
    assert [tuple(row) for row in new.ask(CERTIFICATES)][: len(before)] == before
    up.run("retention", "certificates", "-o", new.directory / "certificates.zip")
    with zipfile.ZipFile(new.directory / "certificates.zip") as archive:
        archive.extract("verify.py", new.directory)
    check = [sys.executable, "-I", "verify.py", "certificates.zip"]
    done = subprocess.run(check, cwd=new.directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    [
        pytest.param("restore.file", marks=pytest.mark.long),
        pytest.param("restore.log", marks=pytest.mark.long),
        "restore.database",
        pytest.param("restore.files", marks=pytest.mark.long),
        pytest.param("journal.restored", marks=pytest.mark.long),
        "restore.replayed",
    ],
)
def test_killed_restoration_is_finished_by_the_next_and_none_looks_in_before(
    lost: Gym, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Killed again and again at one step, ``TALLENNE_KILLS`` times, then finished."""
    assert lost.key is not None
    (tmp_path / "key").write_text(lost.key.text())
    (tmp_path / "key").chmod(0o600)
    given = ("--from", lost.directory / "backups", "--keyring", lost.data / "custodian" / "keyring")
    words = ["restore", *map(str, given), "--key-file", "key", "--json"]
    if place == "journal.restored":  # in the second part, which needs the bucket
        assert "The bucket holds no footage" in tallenne(tmp_path, *words, code=2, timeout_s=300)
        copy_store(lost, tmp_path / "data")
    else:
        words.append("--without-footage")
    config, hits = "data/configuration/tallenne.toml", list[int]()
    for _ in range(KILLS):
        hits.append(random.Random(len(hits)).randint(1, OFTEN.get(place, 1)))
        monkeypatch.setenv(VARIABLE, f"{place}=kill@{hits[-1]}")
        assert tallenne(tmp_path, *words, code=-signal.SIGKILL, timeout_s=300) == ""
        monkeypatch.delenv(VARIABLE)
        if (tmp_path / config).exists():
            for command in ("up", "serve") if len(hits) == 1 else ():
                assert "is not finished" in tallenne(tmp_path, command, "--data", "data", "--config", config, code=2)
    print(f"{place}: {len(hits)} kills, at hits {sorted(hits)}")
    assert json.loads(tallenne(tmp_path, *words, timeout_s=300))["set"]
    assert not (tmp_path / "data" / "restoring").exists()
    cluster = start_postgres(tmp_path / "data" / "postgres", log=tmp_path / "log")
    try:
        found = asyncio.run(_members(cluster.settings(database="tallenne")))
        assert lost.rows["member"] <= found
    finally:
        cluster.stop()


async def _members(settings: DatabaseSettings) -> set[str]:
    conn = await connect(settings)
    try:
        return {row[0] for row in await conn.fetch("SELECT md5(t::text) FROM member t")}
    finally:
        await conn.close()


def test_what_cannot_work_is_said_before_it_takes_minutes(tmp_path: Path) -> None:
    """A mistyped path of the keyring: before the database is written. A file in the place of a directory."""
    (tmp_path / "backups").mkdir()
    (tmp_path / "key").write_text(RecoveryKey.generate().text())
    (tmp_path / "key").chmod(0o600)
    said = tallenne(tmp_path, "restore", *SHOWN, "--data", "new", code=2)
    assert "no intact keyring at keyring" in said
    with pytest.raises(SetupError, match=r"cannot be made a directory for backups \(File exists\)"):
        backup_command._directory(tmp_path / "key")
