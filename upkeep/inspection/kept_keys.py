"""Whether the bucket's journal keeps each living key of the database: `tallenne reconcile`, the other way round.

A lost database comes back from the journal. A record that was removed or changed is missed only then, when it is too
late; the database beside it can write it again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg

from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.recorders import read_recorders
from storage.journal import JournalKind, JournalRecord, list_journal, read_records
from storage.store import ObjectStore
from upkeep.inspection.journal import JournalReport

_PACKAGE: Final = "upkeep.inspection"
_LISTED: Final = 10_000
_KEYS: Final = {JournalKind.HOUR_KEY: ("hour_key_id", "expires_hour_ns"), JournalKind.HOLD: ("hold_id", "placed_ns")}
"""The column that identifies a key, and the column of the time under which its record is filed."""
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnkeptKey:
    """An hour key or a hold of the database that no record holds as it is."""

    kind: JournalKind
    key_id: UUID


@dataclass(slots=True, kw_only=True)
class UnkeptKeys:
    """A repair has the custodian write them again."""

    keys: list[UnkeptKey] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many."""
        return len(self.keys)

    @property
    def listed(self) -> list[UnkeptKey]:
        """The first ten thousand."""
        return self.keys[:_LISTED]


async def find_unkept(
    pool: asyncpg.Pool, store: ObjectStore, signer: bytes, kinds: Collection[JournalKind], report: JournalReport
) -> UnkeptKeys:
    """Read the records of these kinds and of the keys, and say in ``report`` what is refused. Their errors.

    What waits for the custodian to write it is not missing. Rows are read first: what they hold was written before.
    """
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "keys_to_keep"))
    wanted = {(row["kind"], str(row["key_id"])): row for row in rows}
    listing = await list_journal(store)
    recorders = [item.public_key for item in (await read_recorders(pool)).values()]
    if kinds:
        for name in listing.refused:
            report.refuse(name)
    for kind in JournalKind:
        if kind not in kinds and kind not in _KEYS:
            continue
        signers = recorders if kind.by_recorder else [signer]
        async for record in read_records(store, listing.of(kind), signers):
            if isinstance(record, JournalRecord):
                report.records += kind in kinds
                _take(wanted, record)
            elif kind in kinds:
                report.refuse(record)
    return UnkeptKeys(keys=[UnkeptKey(kind=JournalKind(row["kind"]), key_id=row["key_id"]) for row in wanted.values()])


async def write_again(pool: asyncpg.Pool, unkept: UnkeptKeys) -> None:
    """Have the custodian write them, as of now. ``pool``: of the owner's role."""

    def ids(kind: JournalKind) -> list[UUID]:
        return [one.key_id for one in unkept.keys if one.kind is kind]

    with wrapped_errors():
        await pool.execute(sql.load(_PACKAGE, "write_again_hour_key"), ids(JournalKind.HOUR_KEY))
        await pool.execute(sql.load(_PACKAGE, "write_again_hold"), ids(JournalKind.HOLD))


def _take(wanted: dict[_Key, asyncpg.Record], record: JournalRecord) -> None:
    """Take out what the record holds, if it holds it as the database does: of several versions one has to."""
    if record.kind not in _KEYS:
        return
    id_column, hour_column = _KEYS[record.kind]
    for said in record.rows:
        key = record.kind.value, str(said.get(id_column))
        row = wanted.get(key)
        if row is not None and _as_it_is(said, row, hour_column):
            del wanted[key]


def _as_it_is(said: dict[str, Any], row: asyncpg.Record, hour_column: str) -> bool:
    """JSON writes bytes as PostgreSQL does: a backslash, x and hexadecimal digits."""
    columns = ("public_key", "sealed_private")
    return said.get(hour_column) == row["at_ns"] and all(
        said.get(column) == f"\\x{row[column].hex()}" for column in columns
    )
