"""Reads the journal: every record is verified, and what is refused comes along with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from storage.journal.names import JOURNAL_PREFIX, JournalKind, RecordName, parse_record_name
from storage.journal.record import RECORD_MAX_BYTES, BadRecordError, JournalRecord, open_record
from storage.store import ObjectStore
from storage.store.errors import ObjectMissingError, StoreProtocolError

_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRecord:
    """An object under the journal's prefix that says nothing, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One record by its name; not read yet."""

    name: RecordName
    size_bytes: int


@dataclass(slots=True)
class JournalListing:
    """The records of each kind in the order of their hours, and names that no role gives."""

    records: dict[JournalKind, list[Listed]] = field(default_factory=dict)
    refused: list[RefusedRecord] = field(default_factory=list)

    def of(self, kind: JournalKind) -> Sequence[Listed]:
        """Those of one kind."""
        return self.records.get(kind, [])


async def list_journal(store: ObjectStore, prefix: str = JOURNAL_PREFIX) -> JournalListing:
    """List the journal, or the part of it whose names begin with ``prefix``. Raises the store's errors."""
    listing = JournalListing()
    async with aclosing(store.list(prefix)) as infos:
        async for info in infos:
            name = parse_record_name(info.name)
            if name is None:
                listing.refused.append(RefusedRecord(name=info.name, reason="No role gives such a name."))
            elif info.size_bytes > RECORD_MAX_BYTES:
                listing.refused.append(RefusedRecord(name=info.name, reason="It is too large for a record."))
            else:
                listing.records.setdefault(name.kind, []).append(Listed(name=name, size_bytes=info.size_bytes))
    return listing


async def read_records(
    store: ObjectStore, records: Sequence[Listed], signers: Collection[bytes]
) -> AsyncIterator[JournalRecord | RefusedRecord]:
    """Read records in their order, some at once. ``signers``: public keys that may sign them. The store's errors."""
    for at in range(0, len(records), _AT_ONCE):
        for found in await asyncio.gather(*(_read(store, item, signers) for item in records[at : at + _AT_ONCE])):
            yield found


async def _read(store: ObjectStore, listed: Listed, signers: Collection[bytes]) -> JournalRecord | RefusedRecord:
    name = str(listed.name)
    try:
        data = await store.get_range(name, 0, listed.size_bytes)
        return open_record(listed.name, data, signers)
    except BadRecordError as error:
        return RefusedRecord(name=name, reason=error.what)
    except (ObjectMissingError, StoreProtocolError):
        return RefusedRecord(name=name, reason="It vanished or was replaced while it was read.")
