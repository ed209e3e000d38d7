"""Brings back from the bucket's journal what the database lacks: signers, keys, cases, holds, erasures, epochs, gaps.

Footage comes from the objects, in between: its signers and keys are needed first, and gaps take what it leaves. Again
after a crash, or on a database that has it all: nothing changes. A record that is refused says nothing and is reported.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import asyncpg

from domain.ids import HourKeyId, RecorderId
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.catalogue import Catalogue
from storage.catalogue.recorders import read_recorders
from storage.journal import (
    JournalKind,
    JournalListing,
    JournalRecord,
    RecordName,
    RefusedRecord,
    list_journal,
    read_records,
)
from storage.journal.rows import epoch_from_row, gap_from_row
from storage.store import ObjectStore
from upkeep.inspection.epochs import Epochs

_PACKAGE: Final = "upkeep.inspection"
_LISTED: Final = 10_000
_TABLES: Final[Mapping[JournalKind, str]] = {
    JournalKind.RECORDER: "journal_recorders",
    JournalKind.LEASE: "journal_leases",
    JournalKind.CERTIFICATE: "journal_certificates",
    JournalKind.EXPIRED_KEY: "journal_expired_keys",
    JournalKind.HOUR_KEY: "journal_hour_keys",
    JournalKind.CASE: "journal_cases",
    JournalKind.HOLD: "journal_holds",
    JournalKind.WRAP: "journal_wraps",
    JournalKind.ERASURE: "journal_erasures",
    JournalKind.ERASED: "journal_erased",
}
"""Queries that put rows back, in the order in which the rows refer to one another."""
_T = TypeVar("_T")


@dataclass(slots=True, kw_only=True)
class JournalReport:
    """What the journal held. ``refused`` lists the first ten thousand; the counts are complete."""

    records: int = 0
    expired: int = 0  # records of dead hour keys
    rows: dict[str, int] = field(default_factory=dict)  # that the database lacked, by kind
    refused_count: int = 0
    refused: list[RefusedRecord] = field(default_factory=list)

    def refuse(self, record: RefusedRecord) -> None:
        """Count it, and list it while there is room."""
        self.refused_count += 1
        if len(self.refused) < _LISTED:
            self.refused.append(record)

    def add(self, kind: JournalKind, rows: int) -> None:
        """Count rows that were put back."""
        self.rows[kind.value] = self.rows.get(kind.value, 0) + rows


class JournalReplay:
    """``before_footage()``, then the footage, then ``gaps()``. Each raises the errors of database and store."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        store: ObjectStore,
        *,
        signer: bytes,
        living_hours: frozenset[int],
        clock_ns: Callable[[], int],
    ) -> None:
        """``pool``: of the owner's role. ``signer``, ``living_hours``: the custodian's key, and its keyring's hours."""
        self._pool, self._store, self._signer, self._living = pool, store, signer, living_hours
        self._clock_ns = clock_ns
        self._listing = JournalListing()
        self._certificates: set[int] = set()  # that records of dead keys name
        self.epochs = Epochs(pool)
        self.report = JournalReport()

    async def before_footage(self) -> None:
        """Recorders, hour keys, wraps and epochs. Retention is off from here on, until an operator confirms."""
        self._listing = await list_journal(self._store)
        for refused in self._listing.refused:
            self.report.refuse(refused)
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "pause_retention"), self._clock_ns())
        for kind, query in _TABLES.items():
            async for record in self._records(kind, {self._signer}, self._of_living_keys):
                await self._put_back(record, query)
                if kind is JournalKind.EXPIRED_KEY:
                    self._certificates |= {row["certificate"] for row in record.rows if row.get("certificate")}
        await self._tell_missing()
        # Last: an hour key may have moved from an hour that is over to one that is not.
        async for record in self._records(JournalKind.HOUR_KEY, {self._signer}, self._of_dead_keys):
            self.report.expired += 1
            await self._put_back(record, "journal_dead_keys")  # the entry is gone, and nothing says so yet
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "journal_erase"), self._clock_ns())
            async with self._pool.acquire() as conn, conn.transaction():
                await conn.execute(sql.load(_PACKAGE, "from_journal"))
                await conn.execute(sql.load(_PACKAGE, "journal_dead_sooner"))
            await self._pool.execute(sql.load(_PACKAGE, "journal_dead"), self._clock_ns())
            await self._pool.execute(sql.load(_PACKAGE, "journal_key_states"))
            await self._pool.execute(sql.load(_PACKAGE, "journal_serials"))
        recorders = await self._recorders()
        async for record in self._records(JournalKind.EPOCH, recorders):
            for start in self._parsed(record, epoch_from_row):
                if start.recorder_id == recorders[record.signer]:
                    self.epochs.add(start)
                else:
                    self._refuse(record, "It speaks of another recorder's footage.")

    async def is_dead(self, hour_key_id: HourKeyId) -> bool:
        """Whether the key has expired: its footage opens no more and is to be removed."""
        with wrapped_errors():
            return bool(await self._pool.fetchval(sql.load(_PACKAGE, "is_dead"), hour_key_id))

    async def gaps(self) -> None:
        """Only time that neither footage nor another gap accounts for. Then that of erased footage."""
        catalogue, before = Catalogue(self._pool), await self._gap_count()
        async for record in self._records(JournalKind.GAP, await self._recorders()):
            await catalogue.commit_gaps(self._parsed(record, gap_from_row))
            hit("journal.gaps")
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "erased_gaps"))
        self.report.add(JournalKind.GAP, await self._gap_count() - before)

    async def _put_back(self, record: JournalRecord, query: str) -> None:
        with wrapped_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                await conn.execute(sql.load(_PACKAGE, "from_journal"))
                self.report.add(record.kind, await conn.fetchval(sql.load(_PACKAGE, query), json.dumps(record.rows)))
        hit("journal.restored")

    async def _tell_missing(self) -> None:
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "journal_missing"), list(self._certificates))
        for row in rows:
            self.report.refuse(
                RefusedRecord(name=row["name"], reason="Other records name it, and the bucket lacks it.")
            )

    def _of_dead_keys(self, name: RecordName) -> bool:
        return name.kind is JournalKind.HOUR_KEY and name.hour_ns not in self._living

    def _of_living_keys(self, name: RecordName) -> bool:
        return not self._of_dead_keys(name)

    async def _records(
        self, kind: JournalKind, signers: Collection[bytes], wanted: Callable[[RecordName], bool] = lambda _: True
    ) -> AsyncIterator[JournalRecord]:
        listed = [item for item in self._listing.of(kind) if wanted(item.name)]
        async for record in read_records(self._store, listed, signers):
            if isinstance(record, RefusedRecord):
                self.report.refuse(record)
            else:
                self.report.records += 1
                yield record

    def _parsed(self, record: JournalRecord, parse: Callable[[dict[str, Any]], _T]) -> list[_T]:
        try:
            return [parse(row) for row in record.rows]
        except (ValueError, KeyError, TypeError):
            self._refuse(record, "A row is invalid.")
            return []

    def _refuse(self, record: JournalRecord, reason: str) -> None:
        self.report.refuse(RefusedRecord(name=record.name, reason=reason))

    async def _recorders(self) -> dict[bytes, RecorderId]:
        return {item.public_key: recorder_id for recorder_id, item in (await read_recorders(self._pool)).items()}

    async def _gap_count(self) -> int:
        with wrapped_errors():
            count: int = await self._pool.fetchval(sql.load(_PACKAGE, "gap_count"))
        return count
