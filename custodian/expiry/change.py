"""A changed retention takes effect for what is recorded already: its hour keys move to another hour of expiry.

A private half is opened under the keyring entry that seals it and sealed under that of the new hour. Longer is possible
only while the entry lives, and happens by itself. Shorter destroys earlier than was promised: an operator confirms it
first. Either way the old entry's key is replaced, too, and what stays under it is sealed anew (keys/resealing.py):
otherwise the row of a backup, with the keyring of today, would open until the old hour.

``replace()`` comes before the first move and ``drop_replaced()`` after the last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import asyncpg

from custodian.errors import RetentionHeldError
from custodian.keys.custody import Custody
from custodian.keys.hour_keys import lifetime_of
from custodian.keys.resealing import BATCH, Resealing
from domain.ids import CameraId
from domain.time import hour_of
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.catalogue import audit

_PACKAGE: Final = "custodian.expiry"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One camera whose recorded hours end at another time than its retention says. Counts are of hours with footage."""

    camera_id: CameraId
    camera: str
    retention_s: int
    shorter_hours: int  # end sooner
    at_once_hours: int  # … of them, as soon as that is confirmed
    longer_hours: int  # end later


class RetentionChange:
    """``run_once()`` looks for changes, carries out what may be, and shows the rest in ``waiting``."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        custody: Custody,
        resealing: Resealing,
        *,
        confirmed: Callable[[], Mapping[str, int]],
        clock_ns: Callable[[], int],
    ) -> None:
        """``confirmed``: cameras' ids, and the shorter retention (s) that an operator confirmed for each."""
        self._pool, self._custody, self._resealing = pool, custody, resealing
        self._confirmed, self._clock_ns = confirmed, clock_ns
        self.waiting: tuple[Change, ...] = ()  # for an operator

    async def run_once(self) -> int:
        """Move what may be moved; how many hour keys. NotBackedUpError: moved, and old keys of entries still live."""
        if await self._resealing.paused():
            return 0
        now_ns = self._clock_ns()
        changes = await self.changes(now_ns)
        word = self._confirmed()
        allowed = [one for one in changes if not one.shorter_hours or word.get(str(one.camera_id)) == one.retention_s]
        async with self._custody.sealing:
            moved = await self._move(allowed, now_ns)
            self.waiting = tuple(one for one in changes if one not in allowed)
            await self._resealing.finish()  # also what a crash broke off
        return moved

    async def changes(self, now_ns: int) -> list[Change]:
        """Return the cameras concerned."""
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "changes"), now_ns, hour_of(now_ns))
        return [Change(**row) for row in rows]

    def report(self) -> list[dict[str, Any]]:
        """For the status file: what waits."""
        return [{**asdict(one), "camera_id": str(one.camera_id)} for one in self.waiting]

    def held(self) -> RetentionHeldError | None:
        """What waits for an operator, as a problem of the role."""
        if not self.waiting:
            return None
        hours = sum(one.shorter_hours for one in self.waiting)
        at_once = sum(one.at_once_hours for one in self.waiting)
        names = ", ".join(one.camera for one in self.waiting[:3]) + (" …" if len(self.waiting) > 3 else "")
        ends = f"{hours} camera-hours would end sooner, {at_once} of them at once"
        return RetentionHeldError(
            f"The retention of {names} was shortened: {ends}.",
            "`tallenne retention confirm` carries it out; or set retention_h back.",
        )

    async def _move(self, changes: Sequence[Change], now_ns: int) -> int:
        if not changes:
            return 0
        ids, lifetimes = [one.camera_id for one in changes], [lifetime_of(one.retention_s) for one in changes]
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "keys_to_move"), now_ns, hour_of(now_ns), ids, lifetimes)
        await self._on_record(changes, now_ns)
        keyring = self._custody.keyring
        await keyring.ensure({row["wanted_ns"] for row in rows})
        # Those of a longer retention, too: an early erasure replaces only the entry that a key is sealed under by then.
        for name in sorted({row["expires_hour_ns"] for row in rows}):
            if name in await keyring.hours():
                await keyring.replace(name)
        hit("change.replaced")
        for at in range(0, len(rows), BATCH):
            await self._resealing.seal_anew(rows[at : at + BATCH])
            hit("change.moved")
        _log.info("the retention of %d cameras was changed: %d hour keys moved", len(changes), len(rows))
        return len(rows)

    async def _on_record(self, changes: Sequence[Change], now_ns: int) -> None:
        for one in changes:
            detail = {"retention_h": one.retention_s / 3600, "sooner": one.shorter_hours, "later": one.longer_hours}
            entry = audit.Entry(
                actor="role:custodian", action="retention_changed", camera_id=one.camera_id, detail=detail
            )
            await audit.append(self._pool, entry, now_ns)
