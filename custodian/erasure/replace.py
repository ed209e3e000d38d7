"""Carries out approved erasures: the hour keys that open what was erased are replaced, and what replaces them is kept.

For each of those keys, in this order: another key of the camera's hour takes its place for new footage. Once no
recorder has footage of the old one left, what stays is wrapped to the new one, and the old key's row goes, in one step
under the camera's lock. Then the keyring's entry gets another key, all that is sealed under it is sealed anew, the
bucket's journal has it, and the entry's old keys are destroyed. A certificate comes last. After a crash the
rows say what is left to do. The row goes before the entry's key is replaced: what is sealed anew would include it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from custodian.holds.holds import Holds
from custodian.keys.custody import Custody
from custodian.keys.hour_keys import HourKeyMaker, KeyedCamera
from custodian.keys.private_keys import hour_private
from custodian.keys.resealing import Resealing
from domain.ids import HourKeyId
from domain.time import HOUR_NS
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.catalogue import audit
from storage.catalogue.certificates import Order, add_certificate, camera_hour_from_row, erasure_body
from storage.sealed import RefusedError
from storage.sealed.format import parse_header, wrap_info
from storage.sealed.unwrap import hour_wrap, open_header, rewrap

_PACKAGE: Final = "custodian.erasure"
_BATCH: Final = 200
LATE_NS: Final = 24 * HOUR_NS
"""For so long after an hour the recorders may still bring footage of it that stays. What is later goes with the key."""
_log = logging.getLogger(__name__)


class Replacement:
    """``run_once()`` does what there is to do; what waits for a recorder is done at a later call."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        custody: Custody,
        maker: HourKeyMaker,
        holds: Holds,
        resealing: Resealing,
        *,
        clock_ns: Callable[[], int],
    ) -> None:
        self._pool, self._custody, self._maker, self._holds = pool, custody, maker, holds
        self._resealing, self._clock_ns = resealing, clock_ns
        self._counts: dict[str, int] = {"asked": 0, "approved": 0}
        self.waiting_keys = 0  # hour keys that a recorder may still have footage of

    async def run_once(self) -> int:
        """Replace what may be replaced; how many hour keys. NotBackedUpError: the rest comes once the store answers."""
        if await self._resealing.paused():
            return 0
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "keys_to_replace"))
        replaced = sum([await self._replace(row) for row in rows])
        self.waiting_keys = len(rows) - replaced
        await self._finish()
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "erasure_done"), self._clock_ns())
            self._counts = dict(await self._pool.fetchrow(sql.load(_PACKAGE, "counts")))
        return replaced

    def report(self) -> dict[str, int]:
        """For the status file: orders that wait for a person, and those being carried out."""
        return {**self._counts, "waiting_keys": self.waiting_keys}

    async def _replace(self, old: asyncpg.Record) -> bool:
        """Whether the key's row is gone. False: a recorder may still have footage of it."""
        new = await self._in_place_of(old)
        # A row that does not open came from an older copy of the database: `tallenne reconcile --repair` mends it.
        privates = [await hour_private(self._custody.keyring, row) for row in (old, new)]
        if None in privates:
            return False
        with wrapped_errors():
            idle = await self._pool.fetchval(sql.load(_PACKAGE, "idle"), old["hour_key_id"], self._clock_ns(), LATE_NS)
        if not idle:
            return False
        broken: list[UUID] = []
        outcome = "more"
        while outcome == "more":  # until nothing has come between the look and the lock
            await self._holds.wrap_backlog()
            broken += await self._wrap_survivors(old, new, privates)
            values = old["hour_key_id"], new["hour_key_id"], broken, self._clock_ns(), LATE_NS
            with wrapped_errors():
                outcome = await self._pool.fetchval(sql.load(_PACKAGE, "replace"), *values)
        hit("erasure.replaced")
        return bool(outcome == "replaced")

    async def _in_place_of(self, old: asyncpg.Record) -> asyncpg.Record:
        """A newer key of the same hour and end: recorders use it from now on."""
        query = sql.load(_PACKAGE, "key_in_place")
        with wrapped_errors():
            new = await self._pool.fetchrow(query, old["hour_key_id"])
        if new is None:
            camera = KeyedCamera(
                camera_id=old["camera_id"],
                site_id=old["site_id"],
                lifetime_ns=old["expires_hour_ns"] - old["hour_ns"],
            )
            await self._maker.make([(camera, old["hour_ns"])])
            hit("erasure.key")
            with wrapped_errors():
                new = await self._pool.fetchrow(query, old["hour_key_id"])
        return new

    async def _wrap_survivors(
        self, old: asyncpg.Record, new: asyncpg.Record, privates: Sequence[X25519PrivateKey | None]
    ) -> list[UUID]:
        """Wrap to the new key all that stays; the ids of segments that do not open."""
        broken: list[UUID] = []
        while True:
            values = old["hour_key_id"], new["hour_key_id"], _BATCH, broken
            with wrapped_errors():
                rows = await self._pool.fetch(sql.load(_PACKAGE, "survivors"), *values)
            if not rows:
                return broken
            wraps = {row["segment_id"]: _rewrapped(row, HourKeyId(old["hour_key_id"]), new, privates) for row in rows}
            broken += [segment_id for segment_id, wrap in wraps.items() if wrap is None]
            kept = [(segment_id, wrap) for segment_id, wrap in wraps.items() if wrap is not None]
            columns = [list(column) for column in zip(*kept, strict=True)] or [[], []]
            with wrapped_errors():
                await self._pool.execute(sql.load(_PACKAGE, "wrap"), *columns, new["hour_key_id"], self._clock_ns())
            hit("erasure.wrapped")

    async def _finish(self) -> None:
        """Destroy the keys under which replaced hour keys were sealed, and state it; also after a crash."""
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "uncertified"))
        if not rows:
            return
        await self._holds.run_once()  # holds that have ended opened it, too
        keyring = self._custody.keyring
        names = sorted({row["expires_hour_ns"] for row in rows})
        async with self._custody.sealing:
            for name in names:
                if name in await keyring.hours():
                    await keyring.replace(name)
            hit("erasure.entry")
            await self._resealing.finish()
        async with self._pool.acquire() as conn:
            with wrapped_errors():
                async with conn.transaction():
                    await self._certify(conn, rows, names)
                    hit("erasure.certificate")
        hit("erasure.certified")

    async def _certify(self, conn: asyncpg.Connection, rows: Sequence[asyncpg.Record], names: Sequence[int]) -> None:
        keys = [row["hour_key_id"] for row in rows]
        hours = [camera_hour_from_row(row) for row in rows]
        orders = [Order(**row) for row in await conn.fetch(sql.load(_PACKAGE, "orders"), keys)]
        issued_ns = self._clock_ns()

        def body_of(number: int, previous: bytes) -> bytes:
            """As the ``number``th of all certificates."""
            return erasure_body(
                hours,
                orders,
                number=number,
                previous=previous,
                issued_ns=issued_ns,
                keyring_hours=names,
                signer=self._custody.signer,
            )

        number = await add_certificate(conn, "erasure", body_of, self._custody.signing.sign, issued_ns)
        await conn.execute(sql.load(_PACKAGE, "certified"), number, keys)
        detail: dict[str, Any] = {
            "certificate": number,
            "camera_hours": len(hours),
            "segments": sum(hour.segments for hour in hours),
            "erasures": [str(order.erasure_id) for order in orders],
        }
        await audit.append_in(conn, audit.Entry(actor="role:custodian", action="erased", detail=detail), issued_ns)
        _log.info("certificate %d: %d hour keys replaced by early erasure", number, len(hours))


def _rewrapped(
    row: asyncpg.Record, old: HourKeyId, new: asyncpg.Record, privates: Sequence[X25519PrivateKey | None]
) -> bytes | None:
    """The segment's data key, wrapped to the new key and opened with it once; None: it does not open."""
    old_private, new_private = privates
    if old_private is None or new_private is None:
        return None
    try:
        header = parse_header(row["header"])
        if header.core.segment_id != row["segment_id"]:
            return None
        info = wrap_info(new["hour_key_id"], header.core_sha256)
        made = rewrap(
            header, hour_wrap(header, old, row["wrap"] or header.wrap), old_private, new_private.public_key(), info
        )
        open_header(header, new_private, {}, wrap=hour_wrap(header, new["hour_key_id"], made))
    except RefusedError:
        return None
    return made
