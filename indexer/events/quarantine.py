"""Messages that could not be decoded: sealed, listed, replayed once the cause is removed, deleted after a while."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from domain.ids import new_id
from domain.text import printable
from domain.time import NS
from indexer.events.rules import Names
from indexer.mqtt.driver import Received
from runtime import sql
from runtime.database import wrapped_errors
from storage.keys.intake import seal_to

_PACKAGE: Final = "indexer.events"
KEPT_MAX_BYTES: Final = 64 * 1024
"""Of a larger payload only the beginning is kept."""
ROWS_MAX: Final = 100_000
TOPIC_SHOWN: Final = 200
_HEAD: Final = struct.Struct(">BH")  # version, bytes of the topic
_TOPIC_MAX_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A message and why it is not an event. ``reason`` is ours and holds nothing from the payload."""

    message: Received
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Outcome for refused messages."""

    added: int
    repeated: int
    overflowed: int  # not kept, since the quarantine is full


class Quarantine:
    """Stores refused messages, at most ROWS_MAX of them, so that a flood cannot fill the disk."""

    def __init__(self, names: Names, *, rows_max: int = ROWS_MAX) -> None:
        self._names = names
        self._rows_max = rows_max
        self._rows = 0
        self.waiting = 0  # messages that were not replayed

    @property
    def full(self) -> bool:
        """Whether it takes no more."""
        return self._rows >= self._rows_max

    async def count(self, conn: asyncpg.Connection | asyncpg.Pool) -> int:
        """How many rows wait, and replayed ones beyond as many again; to be asked now and then."""
        with wrapped_errors():
            row = await conn.fetchrow(sql.load(_PACKAGE, "quarantine_count"), self._rows_max)
        self._rows, self.waiting = row["counted"], row["waiting"]
        return self._rows

    async def put(self, conn: asyncpg.Connection, refused: Sequence[Refused], key: bytes) -> Put:
        """In the caller's transaction. A message seen before is counted, not stored again."""
        by_digest: dict[bytes, list[Refused]] = {}
        for one in refused:
            by_digest.setdefault(self._names.of_message(one.message.topic, one.message.payload), []).append(one)
        digests = sorted(by_digest)
        counts = [len(by_digest[digest]) for digest in digests]
        with wrapped_errors():
            rows = await conn.fetch(sql.load(_PACKAGE, "quarantine_repeat"), digests, counts)
        known = {row["digest"] for row in rows}
        fresh = [digest for digest in digests if digest not in known]
        room = max(0, self._rows_max - self._rows)
        await self._add(conn, {digest: by_digest[digest] for digest in fresh[:room]}, key)
        overflowed = sum(len(by_digest[digest]) for digest in fresh[room:])
        added = len(fresh[:room])
        self._rows += added
        self.waiting += added
        return Put(added=added, repeated=len(refused) - added - overflowed, overflowed=overflowed)

    async def _add(self, conn: asyncpg.Connection, fresh: dict[bytes, list[Refused]], key: bytes) -> None:
        if not fresh:
            return
        firsts = [many[0] for many in fresh.values()]
        columns = (
            [new_id() for _ in firsts],
            [one.message.received_ns for one in firsts],
            [_shown(one.message.topic) for one in firsts],
            [one.reason for one in firsts],
            [seal_to(key, pack(one.message.topic, one.message.payload)) for one in firsts],
            list(fresh),
            [len(many) for many in fresh.values()],
        )
        with wrapped_errors():
            await conn.execute(sql.load(_PACKAGE, "quarantine_add"), *columns)


def pack(topic: str, payload: bytes) -> bytes:
    """Topic and payload as one sealed message: version 1, the topic's length, the topic, the payload."""
    name = topic.encode()[:_TOPIC_MAX_BYTES]
    return _HEAD.pack(1, len(name)) + name + payload[:KEPT_MAX_BYTES]


def unpack(data: bytes) -> tuple[str, bytes]:
    """ValueError when it is not what pack() gave."""
    if len(data) < _HEAD.size:
        raise ValueError("too short")
    version, size = _HEAD.unpack_from(data)
    if version != 1 or len(data) < _HEAD.size + size:
        raise ValueError("another version")
    name = data[_HEAD.size : _HEAD.size + size]
    return name.decode("utf-8", "replace"), data[_HEAD.size + size :]


def _shown(topic: str) -> str:
    """For people: printable, short."""
    return printable(topic[:TOPIC_SHOWN])


async def expire(pool: asyncpg.Pool, retention_s: int, now_ns: int) -> int:
    """Delete what is older than the retention; how many."""
    with wrapped_errors():
        done: str = await pool.execute(sql.load(_PACKAGE, "quarantine_expire"), now_ns - retention_s * NS)
    return int(done.rpartition(" ")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A row that has not been replayed."""

    quarantine_id: UUID
    received_ns: int
    sealed_payload: bytes


async def waiting(pool: asyncpg.Pool, after: tuple[int, UUID] | None, ids: Sequence[UUID] | None) -> list[Waiting]:
    """The next hundred to replay, oldest first, behind ``after``; of ``ids`` only, when given."""
    at, below = after or (None, None)
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "quarantine_waiting"), at, below, None if ids is None else list(ids))
    return [Waiting(**row) for row in rows]
