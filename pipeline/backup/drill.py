"""The drill: the newest backup is restored into a scratch place, and held against the database that it was made of.

Every table must have the same rows at the same position of the log; the audit chain must hold; samples of the footage
must open through the custodian and be what their recorders signed; what had ended since the copy must not open.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg

from custodian.audit.chain import START
from custodian.audit.log import grown
from custodian.client import CustodianClient
from custodian.errors import BrokenAuditError
from domain.time import HOUR_NS
from pipeline.config.backups import DATA
from pipeline.config.roles import RoleSettings
from pipeline.embedded.accounts import DATABASE
from pipeline.embedded.postgres import start_postgres
from pipeline.errors import SetupError
from runtime import sql
from runtime.database import connect, open_pool, wrapped_errors
from runtime.private_files import private_directory
from storage.backup import BackupPlace
from storage.store import open_store
from upkeep.backup.compare import Moment, Tables, moment_of, tables_of
from upkeep.backup.reader import Progress, SetReader, choose
from upkeep.backup.settings import BackupSettings
from upkeep.backup.state import BackupState, SetState
from upkeep.inspection.samples import try_samples

SAMPLES: Final = 50
OVER_MAX: Final = 200
_OLD_NS: Final = 2 * HOUR_NS  # of a copy, before anything of it can have ended
_SLACK_S: Final = 120.0
_POLL_S: Final = 0.5


@dataclass(slots=True, kw_only=True)
class Drilled:
    """What a drill found. ``differing``: tables whose rows are not those of the database."""

    set_id: str
    at_ns: int
    tables: int = 0
    rows: int = 0
    differing: list[str] = field(default_factory=list)
    audit_entries: int = 0
    audit_fault: str = ""
    samples: int = 0
    opened: int = 0
    faults: list[str] = field(default_factory=list)  # of samples
    ended_meanwhile: int = 0  # expired or erased since the moment of the backup: not samples
    over_tried: int = 0  # footage that has ended since
    over_opened: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the backup is good."""
        whole = self.tables > 0 and not self.differing and not self.audit_fault
        return whole and self.opened == self.samples and not self.over_opened

    def report(self) -> dict[str, Any]:
        """JSON."""
        return {**asdict(self), "ok": self.ok}


async def drill(settings: RoleSettings, own: BackupSettings, place: BackupPlace, progress: Progress) -> Drilled:
    """Of the newest set, whose key this machine has. SetupError: none. Other errors: of services and the backup."""
    began_s, current = time.monotonic(), BackupState.load(own.directory).current
    if own.source.database is None:
        raise SetupError("The database is your own PostgreSQL: its backup is yours to try.", "docs/BACKUP.md says how.")
    if current is None or not current.complete:
        raise SetupError("There is no whole backup yet.", "Wait for the first one: `tallenne status`.")
    scratch = settings.installation.root / "drill"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        found = await _Drill(settings, own, place, current, private_directory(scratch), progress).run()
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    found.seconds = round(time.monotonic() - began_s, 3)
    return found


class _Drill:
    def __init__(
        self,
        settings: RoleSettings,
        own: BackupSettings,
        place: BackupPlace,
        current: SetState,
        scratch: Path,
        progress: Progress,
    ) -> None:
        self._settings, self._own, self._place, self._current = settings, own, place, current
        self._scratch, self._progress = scratch, progress
        self._client = CustodianClient(settings.custodian_socket)
        self._found = Drilled(set_id=current.set_id, at_ns=time.time_ns())

    async def run(self) -> Drilled:
        """See ``drill()``."""
        assert self._own.source.database is not None
        moment = await moment_of(self._own.source.database)
        await self._sent(moment)
        reader = SetReader(self._place, await choose(self._place, self._current.set_id), self._current.key)
        base = await reader.base()
        if time.time_ns() - base.at_ns > _OLD_NS:
            async with self._restored(reader, base.stop, "before") as conn:
                await self._over(conn)
        async with self._restored(reader, moment.position, "now") as conn:
            self._compare(moment.tables, await tables_of(conn))
            await self._audit(conn)
            await self._samples(conn)
        return self._found

    async def _sent(self, moment: Moment) -> None:
        """Until the role has sent the log so far. SetupError: it does not."""
        deadline_s = time.monotonic() + self._own.periods.every_s + _SLACK_S
        while time.monotonic() < deadline_s:
            state = BackupState.load(self._own.directory).current
            if state is not None and state.set_id == self._current.set_id and state.position >= moment.position:
                return
            await asyncio.sleep(_POLL_S)
        raise SetupError("The newest backup was not continued.", "Is the role backup running? `tallenne status` says.")

    @asynccontextmanager
    async def _restored(self, reader: SetReader, until: int, name: str) -> AsyncIterator[asyncpg.Connection]:
        directory = private_directory(self._scratch / name)
        opened = await reader.open(private_directory(directory / "cluster"), self._progress, until=until)
        opened.tree.write(f"{DATA}/postgres", directory)
        cluster = await asyncio.to_thread(start_postgres, directory, log=self._scratch / f"{name}.log", durable=False)
        try:
            conn = await connect(cluster.settings(database=DATABASE), statement_timeout_s=0)
            try:
                yield conn
            finally:
                await conn.close()
        finally:
            await asyncio.to_thread(cluster.stop)
            await asyncio.to_thread(shutil.rmtree, directory)

    def _compare(self, wanted: Tables, restored: Tables) -> None:
        found = self._found
        found.tables, found.rows = len(restored), sum(rows for rows, _ in restored.values())
        found.differing = sorted(
            name for name in wanted.keys() | restored.keys() if wanted.get(name) != restored.get(name)
        )

    async def _audit(self, conn: asyncpg.Connection) -> None:
        signer = (await self._client.identity()).signer
        try:
            self._found.audit_entries = (await grown(conn, START, signer=signer)).seq
        except BrokenAuditError as error:
            self._found.audit_fault = error.what

    async def _samples(self, conn: asyncpg.Connection) -> None:
        async with (
            open_pool(self._settings.database("owner"), application_name="backup drill", max_size=1) as pool,
            open_store(self._settings.store(), connections=2) as store,
        ):
            tried = await try_samples(conn, pool, store, self._client, SAMPLES)
        self._found.samples, self._found.opened = tried.samples, tried.opened
        self._found.faults, self._found.ended_meanwhile = tried.faults, tried.ended

    async def _over(self, conn: asyncpg.Connection) -> None:
        living = list(await self._client.expiry_hours())
        with wrapped_errors():
            rows = await conn.fetch(sql.load("upkeep.backup", "over"), living, OVER_MAX)
        self._found.over_tried = len(rows)
        if rows:
            self._found.over_opened = len(await self._client.open_headers([row["header"] for row in rows]))
