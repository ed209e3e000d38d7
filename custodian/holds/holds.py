"""Places holds, wraps what they keep to their keys, and ends them with their case.

A hold has a key pair of its own. Each held segment's data key is wrapped to it, so that the segment opens after its
hour key has died; everything else of that hour stays dead. When the case ends, by two people, the hold's keyring entry
is dropped, and what only the hold kept opens nowhere any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from custodian.asking import Asker, allowed_staff, entry_of
from custodian.errors import CustodianMisuseError, LookRefusedError
from custodian.keys.custody import Custody
from custodian.keys.private_keys import hold_key_context, hour_private
from domain.ids import CameraId, HourKeyId, new_id
from domain.time import DAY_NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.catalogue import audit
from storage.keys import hold_entry
from storage.sealed import RefusedError
from storage.sealed.format import hold_info, parse_header
from storage.sealed.unwrap import hour_wrap, rewrap

_PACKAGE: Final = "custodian.holds"
_CASE: Final = "case"
_BATCH: Final = 200  # wraps in a statement: about 0.2 ms each
_CASE_NOT_OPEN: Final = "TN004"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHold:
    """What is to be kept. ``kind``: "hold" or "restriction"."""

    case_id: UUID
    kind: str
    camera_id: CameraId
    span: Span


class Holds:
    """``run_once()`` wraps what committed late and finishes what a crash interrupted."""

    def __init__(self, pool: asyncpg.Pool, custody: Custody, *, clock_ns: Callable[[], int]) -> None:
        self._pool, self._custody, self._clock_ns = pool, custody, clock_ns
        self.unkept = 0  # held segments that did not open, since the start
        self._counts: Mapping[str, int] = {"holds": 0, "backlog": 0}

    async def place(self, new: NewHold, asker: Asker) -> tuple[UUID, int]:
        """Place a hold, on record; its id, and how many segments it keeps now. Durable on return.

        LookRefusedError: the session may not. CustodianMisuseError: the case is not open, or the span is too long.
        """
        if not 0 < new.span.end_ns - new.span.start_ns <= DAY_NS:
            raise CustodianMisuseError("A hold keeps a day at most.", "Place one hold for each day.")
        await self._may_place(new, asker)
        hold_id, pair = new_id(), X25519PrivateKey.generate()
        public_key = pair.public_key().public_bytes_raw()
        # The entry is durable before anything is wrapped to it: what it keeps could be lost otherwise.
        await self._custody.keyring.ensure([hold_entry(hold_id)])
        hit("hold.entry")
        context = hold_key_context(hold_id, public_key)
        sealed = await self._custody.keyring.seal(hold_entry(hold_id), pair.private_bytes_raw(), context)
        now_ns = self._clock_ns()
        values = (hold_id, new.case_id, new.kind, new.camera_id, new.span.start_ns, new.span.end_ns, public_key, sealed)
        try:
            with wrapped_errors():
                async with self._pool.acquire() as conn, conn.transaction():
                    staff_id = await allowed_staff(conn, asker, _CASE, [new.camera_id], now_ns)
                    kept = await _place(conn, *values, staff_id, now_ns)
                    detail = {"case_id": str(new.case_id), "hold_id": str(hold_id), "kind": new.kind, "segments": kept}
                    entry = entry_of(asker, staff_id, "hold_placed", detail, new.camera_id, new.span)
                    await audit.append_in(conn, entry, now_ns)
        except (CustodianMisuseError, LookRefusedError):
            # Refused for certain. After any other error the row may exist, and an entry too many harms nothing.
            await self._custody.keyring.drop([hold_entry(hold_id)])
            raise
        hit("hold.placed")
        await self.wrap_backlog()
        return hold_id, kept

    async def ask_end(self, case_id: UUID, asker: Asker) -> None:
        """The first person's word. CustodianMisuseError: the case is not open. LookRefusedError."""
        await self._turn(case_id, asker, "ask_end", "case_end_asked", "The case is not open.")

    async def keep_case(self, case_id: UUID, asker: Asker) -> None:
        """Take the first person's word back: by anybody who may end the case."""
        await self._turn(case_id, asker, "keep_case", "case_kept", "The end of the case was not asked for.")

    async def end_case(self, case_id: UUID, asker: Asker) -> int:
        """The second person's word ends the case with its holds; how many segments expire by that.

        CustodianMisuseError: its end was not asked for, or by the same person. LookRefusedError.
        """
        now_ns = self._clock_ns()
        with wrapped_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                staff_id, holds = await self._may_case(conn, case_id, asker, now_ns)
                if not await conn.fetchval(sql.load(_PACKAGE, "end_case"), case_id, staff_id, now_ns):
                    raise CustodianMisuseError(
                        "The case does not wait for its end, or you asked for it yourself: accounts one of which set up"
                        " the other within three days count as one person.",
                        "Ask a colleague to end it.",
                    )
                ended = [await conn.fetchval(sql.load(_PACKAGE, "end_hold"), hold_id, now_ns) for hold_id in holds]
                expired = sum(each or 0 for each in ended)
                detail = {"case_id": str(case_id), "holds": len(holds), "segments_expired": expired}
                await audit.append_in(conn, entry_of(asker, staff_id, "case_ended", detail), now_ns)
        hit("hold.ended")
        await self._destroy_ended()
        return expired

    async def run_once(self) -> None:
        """Wrap the backlog, and destroy keys of holds that have ended."""
        await self.wrap_backlog()
        await self._destroy_ended()
        with wrapped_errors():
            self._counts = dict(await self._pool.fetchrow(sql.load(_PACKAGE, "counts")))

    def report(self) -> dict[str, int]:
        """For the status file: holds in force, segments that still have to be wrapped, and those that did not open."""
        return {**self._counts, "unkept": self.unkept}

    async def wrap_backlog(self) -> None:
        """Wrap every held segment's data key to its hold. Expiry calls it before it kills an hour key."""
        while True:
            with wrapped_errors():
                rows = await self._pool.fetch(sql.load(_PACKAGE, "backlog"), _BATCH)
            if not rows:
                return
            await self._wrap(rows)

    async def _wrap(self, rows: Sequence[asyncpg.Record]) -> None:
        privates: dict[Any, X25519PrivateKey | None] = {None: None}
        kept: list[tuple[UUID, UUID, bytes]] = []
        lost: list[tuple[UUID, UUID]] = []
        for row in rows:
            if row["hour_key_id"] not in privates:
                privates[row["hour_key_id"]] = await hour_private(self._custody.keyring, row)
            wrap = _rewrapped(row, privates[row["hour_key_id"]])
            if wrap is not None:
                kept.append((row["hold_id"], row["segment_id"], wrap))
            else:
                lost.append((row["hold_id"], row["segment_id"]))
        with wrapped_errors():
            if kept:
                await self._pool.execute(
                    sql.load(_PACKAGE, "wrapped"), *map(list, zip(*kept, strict=True)), self._clock_ns()
                )
            if lost:
                await self._pool.execute(sql.load(_PACKAGE, "unkept"), *map(list, zip(*lost, strict=True)))
                self.unkept += len(lost)
                _log.warning("%d held segments do not open and cannot be kept", len(lost))
        hit("hold.wrapped")

    async def _destroy_ended(self) -> None:
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "ended"))
        if rows:
            holds = [row["hold_id"] for row in rows]
            await self._custody.keyring.drop([hold_entry(hold_id) for hold_id in holds])
            hit("hold.destroyed")
            with wrapped_errors():
                await self._pool.execute(sql.load(_PACKAGE, "destroyed"), holds, self._clock_ns())

    async def _turn(self, case_id: UUID, asker: Asker, query: str, action: str, refused: str) -> None:
        now_ns = self._clock_ns()
        with wrapped_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                staff_id, _ = await self._may_case(conn, case_id, asker, now_ns)
                values = (case_id, staff_id, now_ns) if query == "ask_end" else (case_id,)
                if not await conn.fetchval(sql.load(_PACKAGE, query), *values):
                    raise CustodianMisuseError(refused, "Look at it again: a colleague was faster.")
                await audit.append_in(conn, entry_of(asker, staff_id, action, {"case_id": str(case_id)}), now_ns)

    async def _may_place(self, new: NewHold, asker: Asker) -> None:
        """A first check, so that no key is made for a person without the right."""
        with wrapped_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                await allowed_staff(conn, asker, _CASE, [new.camera_id], self._clock_ns())

    async def _may_case(
        self, conn: asyncpg.Connection, case_id: UUID, asker: Asker, now_ns: int
    ) -> tuple[UUID, list[UUID]]:
        """Who asks, and the case's holds: the person must be allowed to end every one of them.

        In the transaction that decides, under the case's lock: no hold comes, and no right goes, until its end.
        """
        with wrapped_errors():
            await conn.execute(sql.load(_PACKAGE, "lock_case"), case_id)
            rows = await conn.fetch(sql.load(_PACKAGE, "case_holds"), case_id)
        cameras = list(dict.fromkeys(CameraId(row["camera_id"]) for row in rows))
        staff_id = await allowed_staff(conn, asker, _CASE, cameras, now_ns)
        return staff_id, [row["hold_id"] for row in rows]


async def _place(conn: asyncpg.Connection, *values: Any) -> int:
    try:
        kept: int = await conn.fetchval(sql.load(_PACKAGE, "place"), *values)
    except asyncpg.PostgresError as exc:
        if exc.sqlstate != _CASE_NOT_OPEN:
            raise
        raise CustodianMisuseError("The case is not open.", "Open another one for this footage.") from exc
    return kept


def _rewrapped(row: asyncpg.Record, private: X25519PrivateKey | None) -> bytes | None:
    """The segment's data key, wrapped to the hold. None: the segment is gone, its key is dead, or it does not open."""
    if private is None or row["header"] is None:
        return None
    try:
        header = parse_header(row["header"])
        if header.core.segment_id != row["segment_id"]:
            return None
        wrap = hour_wrap(header, HourKeyId(row["hour_key_id"]), row["wrap"] or header.wrap)
        public = X25519PublicKey.from_public_bytes(row["hold_key"])
        return rewrap(header, wrap, private, public, hold_info(row["hold_id"], header.core_sha256))
    except RefusedError:
        return None
