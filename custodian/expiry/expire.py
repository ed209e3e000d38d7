"""Expiry: when an hour is over, its hour keys die, the keyring's entry goes, and a certificate says so.

The order makes every crash repairable. The database decides first, under the cameras' locks, which footage it is; from
then on it no longer opens, and the decision is carried out whatever happens. Then the entry is dropped: what it sealed
is dead in every copy. The certificate comes last, since it states what has happened. The keeper waits for it before it
removes objects and rows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from custodian.errors import CustodianMisuseError, RetentionHeldError
from custodian.expiry.guard import AHEAD_NS, HOURS_FOR_EACH_CAMERA, Evidence, doubt
from custodian.expiry.tick import Confirmation, RetentionClock
from custodian.holds.holds import Holds
from custodian.keys.custody import Custody
from domain.time import NS, to_iso
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.catalogue import audit
from storage.catalogue.certificates import CameraHour, add_certificate, camera_hour_from_row, expiry_body

_PACKAGE: Final = "custodian.expiry"
_KEYS_AT_ONCE: Final = 20  # hour keys in a transaction: for so long their cameras commit nothing
_ROUND_S: Final = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is over and not dead yet."""

    hours: tuple[int, ...]  # of the keyring, oldest first
    camera_hours: int  # with footage


class Expiry:
    """``run_once()`` carries out what is due, or holds it and says why in ``held``."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        custody: Custody,
        clock: RetentionClock,
        holds: Holds,
        *,
        at_once: int | None,
        clock_ns: Callable[[], int],
    ) -> None:
        """``at_once``: camera-hours that may expire without an operator's word; None: 25 of each camera."""
        self._pool, self._custody, self._clock, self._holds = pool, custody, clock, holds
        self._at_once, self._clock_ns = at_once, clock_ns
        self._due = Due(hours=(), camera_hours=0)
        self.held: RetentionHeldError | None = None
        self.expired_hours = 0  # keyring entries dropped since the start

    async def run_once(self) -> int:
        """Expire everything that is due, an hour at a time; the number of keyring hours."""
        now_ns = self._clock_ns()
        done = await self._finish(now_ns)
        self._due = await self._look(now_ns)
        if not self._due.hours:
            self.held = None
            if self._believed(now_ns):
                self._clock.advance(now_ns)
            return done
        self.held = doubt(await self._evidence(now_ns))
        if self.held is None:
            self._clock.advance(now_ns)
        started_s = time.monotonic()
        for hour_ns in await self._allowed():
            await self._expire(hour_ns, now_ns)
            done += 1
            if time.monotonic() - started_s > _ROUND_S:
                break  # the rest in the next round: an outage's backlog takes longer than a round may
        self._due = await self._look(now_ns)
        if not self._due.hours:
            self.held = None
        return done

    async def confirm(
        self, up_to_ns: int, camera_hours: int, actor: str, shorter: Mapping[str, int] | None = None
    ) -> None:
        """An operator has seen what is due and lets it go. On record. CustodianMisuseError: it is no longer that.

        ``shorter``: cameras' ids, and the shorter retention (s) of each that takes effect for what is recorded.
        """
        now_ns = self._clock_ns()
        due = await self._look(now_ns)
        hours = [hour for hour in due.hours if hour <= up_to_ns]
        count = await self._camera_hours(hours)
        if count > camera_hours:
            raise CustodianMisuseError(
                f"{count} camera-hours are overdue by now, more than the {camera_hours} that were shown.",
                "Look again: `tallenne retention status`.",
            )
        detail = {"up_to": to_iso(up_to_ns), "hours": len(hours), "camera_hours": count, "shorter": len(shorter or {})}
        await audit.append(self._pool, audit.Entry(actor=actor, action="retention_confirmed", detail=detail), now_ns)
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "pause_end"))
        word = Confirmation(
            at_ns=now_ns, up_to_ns=up_to_ns, camera_hours=camera_hours, actor=actor, shorter=shorter or {}
        )
        self._clock.confirm(word)

    def shorter(self) -> Mapping[str, int]:
        """Cameras' ids, and the shorter retention (s) of each that an operator confirmed last."""
        word = self._clock.confirmation
        return {} if word is None else word.shorter

    def report(self) -> dict[str, Any]:
        """For the status file: what is due, and why it is held."""
        oldest = self._due.hours[0] if self._due.hours else None
        return {
            "due_hours": len(self._due.hours),
            "due_camera_hours": self._due.camera_hours,
            "due_up_to_ns": self._due.hours[-1] if self._due.hours else None,
            "overdue_s": 0 if oldest is None else max(0, self._clock_ns() - oldest) // NS,
            "held": None if self.held is None else {"what": self.held.what, "remedy": self.held.remedy},
            "expired_hours": self.expired_hours,
        }

    async def _look(self, now_ns: int) -> Due:
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "due_hours"), now_ns)
        # Both sides count: rows of a restored backup whose entry is gone, and entries whose rows are.
        hours = {row["expires_hour_ns"] for row in rows}
        hours |= {hour for hour in await self._custody.keyring.hours() if hour <= now_ns}
        ordered = tuple(sorted(hours))
        return Due(hours=ordered, camera_hours=await self._camera_hours(ordered) if ordered else 0)

    async def _camera_hours(self, hours: Sequence[int]) -> int:
        with wrapped_errors():
            found: int = await self._pool.fetchval(sql.load(_PACKAGE, "due_camera_hours"), list(hours))
        return found

    def _believed(self, now_ns: int) -> bool:
        """Nothing is at stake now; but a clock that jumped must not be believed by the time that something is."""
        tick_ns = self._clock.tick_ns
        return tick_ns is None or now_ns - tick_ns <= AHEAD_NS

    async def _evidence(self, now_ns: int) -> Evidence:
        with wrapped_errors():
            row = await self._pool.fetchrow(sql.load(_PACKAGE, "witnesses"))
        confirmation = self._clock.confirmation
        at_once = HOURS_FOR_EACH_CAMERA * row["cameras"] if self._at_once is None else self._at_once
        return Evidence(
            now_ns=now_ns,
            tick_ns=self._clock.tick_ns,
            confirmed_ns=confirmation.at_ns if confirmation else 0,
            database_ns=row["database_ns"],
            footage_ns=row["footage_ns"],
            keys_known=row["keys_known"],
            paused=row["paused"],
            camera_hours=self._due.camera_hours,
            at_once=at_once,
        )

    async def _allowed(self) -> Sequence[int]:
        """All that is due; while it is held, what an operator's word covers."""
        if self.held is None:
            return self._due.hours
        word = self._clock.confirmation
        if word is None:
            return ()
        covered = [hour for hour in self._due.hours if hour <= word.up_to_ns]
        return covered if await self._camera_hours(covered) <= word.camera_hours else ()

    async def _finish(self, now_ns: int) -> int:
        """Carry out what was decided before a crash."""
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "uncertified_hours"), now_ns)
        for row in rows:
            await self._expire(row["expires_hour_ns"], now_ns)
        return len(rows)

    async def _expire(self, hour_ns: int, now_ns: int) -> None:
        while True:
            await self._holds.wrap_backlog()  # a key does not die before the holds have what they keep
            with wrapped_errors():
                rows = await self._pool.fetch(sql.load(_PACKAGE, "keys_of_hour"), hour_ns, _KEYS_AT_ONCE)
                if not rows:
                    break
                await self._pool.execute(sql.load(_PACKAGE, "expire"), [row["hour_key_id"] for row in rows], now_ns)
            hit("expiry.decided")
        await self._custody.keyring.drop([hour_ns])
        hit("expiry.dropped")
        await self._certify(hour_ns)
        hit("expiry.certified")
        self.expired_hours += 1

    async def _certify(self, hour_ns: int) -> None:
        """State it, in one transaction with the entry of the audit chain that names the certificate."""
        with wrapped_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                rows = await conn.fetch(sql.load(_PACKAGE, "uncertified"), hour_ns)
                if rows:
                    await self._add_certificate(conn, hour_ns, [camera_hour_from_row(row) for row in rows])
                hit("expiry.certificate")

    async def _add_certificate(self, conn: asyncpg.Connection, hour_ns: int, hours: Sequence[CameraHour]) -> None:
        issued_ns = self._clock_ns()

        def body_of(number: int, previous: bytes) -> bytes:
            """As the ``number``th of all certificates."""
            return expiry_body(
                hours,
                number=number,
                previous=previous,
                issued_ns=issued_ns,
                expires_hour_ns=hour_ns,
                dropped_ns=issued_ns,
                confirmed_by=self._confirmed_by(hour_ns),
                signer=self._custody.signer,
            )

        number = await add_certificate(conn, "expiry", body_of, self._custody.signing.sign, issued_ns)
        await conn.execute(sql.load(_PACKAGE, "certified"), hour_ns, number, [hour.hour_key_id for hour in hours])
        detail = {"certificate": number, "camera_hours": len(hours), "segments": sum(one.segments for one in hours)}
        await audit.append_in(conn, audit.Entry(actor="role:custodian", action="expired", detail=detail), issued_ns)
        _log.info("certificate %d: %d camera-hours expired", number, len(hours))

    def _confirmed_by(self, hour_ns: int) -> str | None:
        word = self._clock.confirmation
        return word.actor if self.held is not None and word is not None and hour_ns <= word.up_to_ns else None
