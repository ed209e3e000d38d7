"""Batches of door messages to rows: one transaction each, acknowledged by the caller afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import asyncpg

from domain.ids import new_event_id
from indexer.counters import Counters
from indexer.decoders import DecodedEvent
from indexer.errors import DecodeError
from indexer.events.quarantine import Quarantine, Refused
from indexer.events.rules import Names, Route, Rules
from indexer.events.sequence import DoorCount, SequenceTracker
from indexer.events.skew import Placed, SkewTracker
from indexer.mqtt.driver import Received
from runtime import failpoints, sql
from runtime.database import wrapped_errors
from runtime.errors import DatabaseError

_PACKAGE: Final = "indexer.events"
ID_AGAIN: Final = "event id seen before with another time"
"""A controller that begins its ids anew (at every reboot, say): see ``ids_restart`` of TopicRule."""
_CONTENT_FAULTS: Final = ("22", "23")
"""SQLSTATE classes that are about a value, not about us: data exception, integrity violation."""


@dataclass(slots=True)
class Offer:
    """A decoded message on its way to a row."""

    message: Received
    route: Route
    event: DecodedEvent
    event_id: UUID
    dedup_key: bytes
    placed: Placed
    part: int = 0  # which of the message's events

    @property
    def told_ns(self) -> int:
        """What every redelivery says, whatever we make of it."""
        return self.placed.occurred_ns if self.event.occurred_ns is None else self.event.occurred_ns


@dataclass(slots=True)
class Batch:
    """What a batch of messages says, decoded once, however often its transaction is tried."""

    messages: list[Received]
    offers: list[Offer] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    ignored: int = 0  # understood, and no event

    def halves(self) -> tuple[Batch, Batch]:
        """To find the message that a transaction fails over. Refused messages go with the first half."""
        middle = len(self.offers) // 2
        first = Batch([], self.offers[:middle], self.refused, self.ignored)
        return first, Batch([], self.offers[middle:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What the database made of a batch's offers."""

    new: int
    duplicates: int
    refused: list[Refused]
    doors: dict[UUID, object]  # door_id -> the trackers' name, of doors that were resolved
    fresh: set[UUID]  # the new events


class Receiver:
    """Decodes and commits. Its trackers and quarantine are its own; several Receivers may share a database.

    instance: whose counts of the doors' numbers these are: what one session lost another may have received.
    """

    def __init__(
        self,
        rules: Rules,
        names: Names,
        quarantine: Quarantine,
        skew: SkewTracker,
        counters: Counters,
        *,
        sequence: SequenceTracker | None = None,
        instance: str = "0",
    ) -> None:
        self._rules = rules
        self._names = names
        self._quarantine = quarantine
        self._skew = skew
        self._counters = counters
        self._sequence = sequence or SequenceTracker()
        self._instance = instance

    def decode(self, messages: Sequence[Received]) -> Batch:
        """No I/O. Every message ends as an offer, as refused or as ignored."""
        batch = Batch(list(messages))
        for message in messages:
            route = self._rules.route(message.topic)
            if route is None:
                batch.refused.append(Refused(message=message, reason="no rule for this topic"))
                continue
            try:
                events = route.decode(message.topic, message.payload)
            except DecodeError as error:
                batch.refused.append(Refused(message=message, reason=f"{route.name}: {error.what}"))
                continue
            batch.ignored += not events
            for part, event in enumerate(events):
                batch.offers.append(self._offer(message, route, event, part))
        return batch

    def _offer(self, message: Received, route: Route, event: DecodedEvent, part: int) -> Offer:
        if event.occurred_ns is None:
            placed = Placed(occurred_ns=message.received_ns, uncertain=True)
        else:
            live = not (message.retain or message.dup)
            name = (route.site_id, event.door)
            placed = self._skew.observe(name, event.occurred_ns, message.received_ns, live=live)
        key = self._names.of_event(route, event, message.received_ns)
        return Offer(message, route, event, new_event_id(message.received_ns), key, placed, part)

    async def commit(self, pool: asyncpg.Pool, batch: Batch, intake_key: bytes | None) -> list[Received]:
        """Durable on return, but for the returned messages: they need the quarantine, and there is no key to seal with.

        Raises the database errors; nothing of the batch is kept then, and it may be tried again as it is.
        """
        try:
            return await self._commit(pool, batch, intake_key)
        except DatabaseError as error:
            if str(getattr(error.__cause__, "sqlstate", ""))[:2] not in _CONTENT_FAULTS or not batch.offers:
                raise
        if len(batch.offers) == 1:
            # No message may stop the ones behind it. The decoders' bounds should make this impossible.
            refused = Refused(message=batch.offers[0].message, reason="refused by the database")
            return await self._commit(pool, Batch([], [], [*batch.refused, refused], batch.ignored), intake_key)
        first, second = batch.halves()
        return [*await self.commit(pool, first, intake_key), *await self.commit(pool, second, intake_key)]

    async def _commit(self, pool: asyncpg.Pool, batch: Batch, intake_key: bytes | None) -> list[Received]:
        with wrapped_errors():
            async with pool.acquire() as conn, conn.transaction():
                verdicts = await add_offers(conn, batch.offers)
                skews = await self._put_skew(conn, verdicts.doors, batch)
                counted = self._counted(batch, verdicts)
                await self._put_sequence(conn, verdicts.doors, counted)
                refused = [*batch.refused, *verdicts.refused]
                put = await self._quarantine.put(conn, refused, intake_key) if refused and intake_key else None
                failpoints.hit("receive.committing")
        self._sequence.keep(counted)
        for door, skew_ns in skews:
            self._skew.kept(door, skew_ns)
        counters = self._counters
        counters.committed += verdicts.new
        counters.duplicates += verdicts.duplicates
        counters.ignored += batch.ignored
        if put is None:
            return [one.message for one in refused]
        counters.quarantined += put.added
        counters.quarantine_repeats += put.repeated
        counters.quarantine_overflow += put.overflowed
        return []

    async def _put_skew(
        self, conn: asyncpg.Connection, doors: dict[UUID, object], batch: Batch
    ) -> list[tuple[object, int]]:
        """What was written: the doors, by the trackers' name, whose estimates have moved."""
        moved = [(door_id, name, self._skew.to_keep(name)) for door_id, name in sorted(doors.items())]
        known = [(door_id, name, skew) for door_id, name, skew in moved if skew is not None]
        if known:
            now_ns = max(offer.message.received_ns for offer in batch.offers)
            columns = ([door_id for door_id, _, _ in known], [skew for _, _, skew in known])
            await conn.execute(sql.load(_PACKAGE, "skew_put"), *columns, now_ns)
        return [(name, skew) for _, name, skew in known]

    def _counted(self, batch: Batch, verdicts: Verdicts) -> dict[object, DoorCount]:
        """The doors' counts after this batch, of controllers that number their messages."""
        counted: dict[object, DoorCount] = {}
        refused = {id(one.message) for one in verdicts.refused}
        for offer in batch.offers:
            seq = offer.event.seq
            if seq is None:
                continue
            door = (offer.route.site_id, offer.event.door)
            known = counted.get(door) or self._sequence.count(door)
            message = offer.message
            is_first = offer.event_id in verdicts.fresh
            is_new = is_first or (id(message) in refused and not (message.dup or message.retain))
            if known is None:
                counted[door] = DoorCount.begun(seq, message.received_ns)
            else:
                counted[door] = known.after(seq, message.received_ns, is_new=is_new, is_first=is_first)
        return counted

    async def _put_sequence(
        self, conn: asyncpg.Connection, doors: dict[UUID, object], counted: dict[object, DoorCount]
    ) -> None:
        known = [(door_id, counted[name]) for door_id, name in sorted(doors.items()) if name in counted]
        if known:
            await conn.execute(
                sql.load(_PACKAGE, "sequence_put"),
                self._instance,
                [door_id for door_id, _ in known],
                [count.first for _, count in known],
                [count.first_ns for _, count in known],
                [count.last for _, count in known],
                [json.dumps(count.missing) for _, count in known],
            )


async def add_offers(conn: asyncpg.Connection, offers: Sequence[Offer]) -> Verdicts:
    """In the caller's transaction: resolve doors and credentials, add what is new, announce it to the tagger."""
    if not offers:
        return Verdicts(new=0, duplicates=0, refused=[], doors={}, fresh=set())
    rows = await conn.fetch(sql.load(_PACKAGE, "commit_events"), *_columns(offers))
    refused: list[Refused] = []
    doors: dict[UUID, object] = {}
    fresh = {offers[row["i"]].event_id for row in rows if row["is_new"]}
    # What the statement has added it does not see: of two events under one id the first may stand in this very batch.
    added = {offer.dedup_key: offer.told_ns for offer in offers if offer.event_id in fresh}
    duplicates = 0
    for i, door_id, trouble, is_new, is_known, is_other in sorted(rows, key=itemgetter(0)):
        offer = offers[i]
        if door_id is not None:
            doors[door_id] = (offer.route.site_id, offer.event.door)
        if is_new:
            continue
        if offer.part and refused and refused[-1].message is offer.message:
            continue  # it is put away once, whatever more of it is refused
        is_other = is_other or added.get(offer.dedup_key, offer.told_ns) != offer.told_ns
        if is_other and offer.event.occurred_ns is not None:
            refused.append(Refused(message=offer.message, reason=ID_AGAIN))
        elif trouble is None or is_known:
            duplicates += 1
        else:
            refused.append(Refused(message=offer.message, reason=trouble))
    return Verdicts(new=len(fresh), duplicates=duplicates, refused=refused, doors=doors, fresh=fresh)


def _columns(offers: Sequence[Offer]) -> tuple[list[Any], ...]:
    """The parameters of commit_events.sql."""
    events = [offer.event for offer in offers]
    return (
        list(range(len(offers))),
        [offer.event_id for offer in offers],
        [offer.dedup_key for offer in offers],
        [offer.route.site_id for offer in offers],
        [event.door for event in events],
        [event.kind.value for event in events],
        [event.direction.value if event.direction else None for event in events],
        [event.credential for event in events],
        [event.number for event in events],
        [offer.placed.occurred_ns for offer in offers],
        [offer.message.received_ns for offer in offers],
        [offer.placed.uncertain for offer in offers],
        [offer.told_ns for offer in offers],
        [event.other_door for event in events],
    )


async def load_names(pool: asyncpg.Pool) -> Names:
    """With the key that all indexers share."""
    with wrapped_errors():
        return Names(await pool.fetchval(sql.load(_PACKAGE, "secret")))


async def load_sequence(pool: asyncpg.Pool, instance: str) -> SequenceTracker:
    """With what earlier runs of this instance counted."""
    tracker = SequenceTracker()
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "sequence_known"), instance)
    for row in rows:
        missing = tuple((first, past, since_ns) for first, past, since_ns in json.loads(row["missing"]))
        count = DoorCount(row["first_seq"], row["first_ns"], row["last_seq"], missing)
        tracker.keep({(row["site_id"], row["external_id"]): count})
    return tracker


async def load_skew(pool: asyncpg.Pool) -> SkewTracker:
    """With what earlier runs measured."""
    tracker = SkewTracker()
    with wrapped_errors():
        for row in await pool.fetch(sql.load(_PACKAGE, "skew_known")):
            tracker.know((row["site_id"], row["external_id"]), row["skew_ns"])
    return tracker
