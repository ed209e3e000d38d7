"""Restores rows from objects, or quarantines these, for `reconcile --repair` and `catalogue rebuild`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

import asyncpg

from domain.footage import Segment
from domain.ids import SegmentId
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.catalogue import Commit
from storage.catalogue.errors import LeaseNotHeldError, SegmentConflictError
from storage.catalogue.recorders import Recorders
from storage.catalogue.repairs import commit_verified, restore_segment
from storage.sealed import HEADER_SIZE, OVERHEAD, PayloadKey, RefusedError
from storage.sealed.format import Header, parse_header
from storage.store import ObjectInfo, ObjectStore
from storage.store.errors import ObjectMissingError, StoreProtocolError
from upkeep.inspection.errors import BadObjectError, Flaw
from upkeep.inspection.journal import JournalReplay
from upkeep.inspection.objects import Inspected, inspect_object
from upkeep.inspection.rows import check_name, closed_segment_of, segment_of_object

_PACKAGE: Final = "upkeep.inspection"
_AT_ONCE: Final = 4
BATCH: Final = 200


class Signer(Protocol):
    """The part of the custodian's identity that verifies what it signed."""

    @property
    def signer(self) -> bytes:
        """Ed25519 public key, 32 bytes."""
        ...


class HeaderOpener(Protocol):
    """The part of the custodian's client that a restoration needs."""

    async def open_headers(self, headers: Collection[bytes]) -> dict[SegmentId, PayloadKey]:
        """Return the payload keys of those headers that open, by segment."""
        ...

    async def identity(self) -> Signer:
        """Return the custodian's public halves."""
        ...

    async def expiry_hours(self) -> frozenset[int]:
        """Return the hours of expiry that have a keyring entry."""
        ...


class Restored(StrEnum):
    """Outcome for an object without a row."""

    ROW = "row"  # it has a live row now
    SHADOW = "shadow"  # it has a row that is hidden behind live footage
    KNOWN = "known"  # its recorder committed the row meanwhile
    EXPIRED = "expired"  # its key is dead; it has a row that tells the keeper to remove it
    QUARANTINED = "quarantined"
    VANISHED = "vanished"  # the object no longer exists


_RESTORED: Final = {
    Commit.LIVE: Restored.ROW,
    Commit.CONTESTED: Restored.ROW,  # the custodian settles it, after a row that it is about to verify
    Commit.SHADOW: Restored.SHADOW,
    Commit.DUPLICATE: Restored.KNOWN,
    Commit.EXPIRED: Restored.EXPIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOutcome:
    """The result for one object; ``flaw`` and ``detail`` of a quarantined one."""

    name: str  # the object's
    restored: Restored
    flaw: Flaw | None = None
    detail: str = ""


class Restorer:
    """The operator's role is needed: it commits rows and fills the quarantine."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        store: ObjectStore,
        custodian: HeaderOpener,
        recorders: Recorders,
        *,
        journal: JournalReplay | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """``journal``: what the bucket knows besides objects: epochs, and which hour keys are dead."""
        self._pool, self._store, self._custodian, self._recorders = pool, store, custodian, recorders
        self._journal = journal
        self._clock_ns = clock_ns

    async def restore(self, objects: Sequence[ObjectInfo]) -> list[RestoreOutcome]:
        """At most ``BATCH`` objects without a row, in the order of their names: by camera, then by time.

        Raises when database, store or custodian do not answer: nothing is quarantined for that.
        """
        headers = [await self._header(item) for item in objects]
        whole = [data for data, header in headers if header is not None]
        keys = await self._custodian.open_headers(whole) if whole else {}
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(item: ObjectInfo, header: Header | None) -> RestoreOutcome:
            async with gate:
                return await self._one(item, header, keys)

        # A camera's objects one after the other: of two that overlap the earlier becomes live, every time.
        outcomes: list[RestoreOutcome] = []
        by_camera: dict[str, list[tuple[ObjectInfo, Header | None]]] = {}
        for item, (_, header) in zip(objects, headers, strict=True):
            by_camera.setdefault(item.name.rsplit("/", 2)[0], []).append((item, header))

        async def camera(items: list[tuple[ObjectInfo, Header | None]]) -> list[RestoreOutcome]:
            return [await one(item, header) for item, header in items]

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(camera(items)) for items in by_camera.values()]
        for task in tasks:
            outcomes += task.result()
        return outcomes

    async def quarantine(self, name: str, flaw: Flaw, detail: str) -> None:
        """List an object as bad; it is never played, and never touched."""
        reason = f"{flaw}: {detail}" if detail else flaw.value
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "quarantine_add"), name, self._clock_ns(), reason)
        hit("restore.quarantined")

    async def _one(self, item: ObjectInfo, header: Header | None, keys: dict[SegmentId, PayloadKey]) -> RestoreOutcome:
        try:
            if header is None:
                raise BadObjectError(Flaw.SIZE if item.size_bytes < OVERHEAD else Flaw.HEADER)
            key = keys.get(header.core.segment_id)
            restored = await self._commit(item, key)
        except BadObjectError as error:
            if error.flaw is Flaw.MISSING:
                return RestoreOutcome(name=item.name, restored=Restored.VANISHED)
            await self.quarantine(item.name, error.flaw, error.detail)
            return RestoreOutcome(name=item.name, restored=Restored.QUARANTINED, flaw=error.flaw, detail=error.detail)
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "quarantine_remove"), item.name)
        return RestoreOutcome(name=item.name, restored=restored)

    async def _commit(self, item: ObjectInfo, key: PayloadKey | None) -> Restored:
        found = await inspect_object(self._store, item.name, item.size_bytes, self._recorders, key)
        check_name(found, item.name)
        segment = await self._segment(found)
        hit("restore.before")
        try:
            commit = await self._committed(segment, found, item.name)
        except SegmentConflictError:
            raise BadObjectError(Flaw.ROW, "its id is known with other contents") from None
        hit("restore.committed")
        return _RESTORED[commit]

    async def _segment(self, found: Inspected) -> Segment:
        journal, core = self._journal, found.header.core
        if found.walked is None:
            if journal is None or not await journal.is_dead(core.hour_key_id):
                raise BadObjectError(Flaw.KEY)
            return closed_segment_of(found)
        return segment_of_object(found)

    async def _committed(self, segment: Segment, found: Inspected, name: str) -> Commit:
        epoch = None if self._journal is None else await self._journal.epochs.epoch_of(found)
        if epoch is not None:
            with suppress(LeaseNotHeldError):  # another recorder has that lease by now: what the catalogue knows counts
                return await commit_verified(self._pool, replace(segment, epoch=epoch), name)
        return await restore_segment(self._pool, segment, name)

    async def _header(self, item: ObjectInfo) -> tuple[bytes, Header | None]:
        try:
            data = await self._store.get_range(item.name, 0, HEADER_SIZE)
            return data, parse_header(data)
        except (RefusedError, ObjectMissingError, StoreProtocolError):
            return b"", None


async def begin_replay(
    pool: asyncpg.Pool, store: ObjectStore, custodian: HeaderOpener, *, clock_ns: Callable[[], int]
) -> JournalReplay:
    """Put back what footage needs: signers, keys, wraps. Raises when database, store or custodian do not answer."""
    signer, living = (await custodian.identity()).signer, await custodian.expiry_hours()
    replay = JournalReplay(pool, store, signer=signer, living_hours=living, clock_ns=clock_ns)
    await replay.before_footage()
    return replay
