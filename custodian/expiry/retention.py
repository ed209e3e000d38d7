"""How long footage is kept, as one task of the custodian: changed retention, early erasures, expiry, in turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg

from custodian.erasure.replace import Replacement
from custodian.errors import NotBackedUpError
from custodian.expiry.change import RetentionChange
from custodian.expiry.expire import Expiry
from custodian.expiry.tick import RetentionClock
from custodian.holds.holds import Holds
from custodian.keys.custody import Custody
from custodian.keys.hour_keys import HourKeyMaker
from custodian.keys.resealing import Resealing
from runtime.problems import Problems

_CLOCK: Final = "retention-clock"


class Retention:
    """The parts, over one custody, and what they have to say."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        custody: Custody,
        directory: Path,
        holds: Holds,
        maker: HourKeyMaker,
        *,
        backed_up: Callable[[], Awaitable[None]],
        at_once: int | None,
        clock_ns: Callable[[], int],
    ) -> None:
        """``directory``: of the custody. ``backed_up``: see ``Resealing``. ``at_once``: see ``Expiry``."""
        clock = RetentionClock(directory / _CLOCK)
        self._expiry = Expiry(pool, custody, clock, holds, at_once=at_once, clock_ns=clock_ns)
        resealing = Resealing(pool, custody, backed_up)
        confirmed = self._expiry.shorter
        self._change = RetentionChange(pool, custody, resealing, confirmed=confirmed, clock_ns=clock_ns)
        self._erasures = Replacement(pool, custody, maker, holds, resealing, clock_ns=clock_ns)

    async def run_once(self) -> None:
        """Move hour keys whose camera is kept for another time now, replace those of erasures, then end what is over.

        NotBackedUpError: the rest of the first two has to wait for the store, for which expiry did not wait.
        """
        waiting: NotBackedUpError | None = None
        for work in (self._change.run_once, self._erasures.run_once):
            try:
                await work()
            except NotBackedUpError as exc:
                waiting = exc
        await self._expiry.run_once()
        if waiting is not None:
            raise waiting

    async def confirm(self, up_to_ns: int, camera_hours: int, actor: str, shorter: Mapping[str, int]) -> None:
        """See ``Expiry.confirm()``."""
        await self._expiry.confirm(up_to_ns, camera_hours, actor, shorter)

    def watch(self, problems: Problems) -> None:
        """Have what waits for an operator shown."""
        problems.watch("retention", lambda: self._expiry.held)
        problems.watch("retention change", self._change.held)

    def report(self) -> dict[str, Any]:
        """For the status file."""
        return {**self._expiry.report(), "shorter": self._change.report(), "erasures": self._erasures.report()}
