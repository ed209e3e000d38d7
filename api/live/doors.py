"""Door events for those who watch live: what a door reports appears on the cameras that see it, without the person."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from api.live.streaming import Tell
from api.records import Records
from domain.errors import RetryableError
from domain.ids import CameraId
from domain.time import NS, to_iso
from runtime import sql
from runtime.database import wrapped_errors

LOOK_EVERY_S: Final = 1.0
_BACK_NS: Final = 5 * NS
"""So far back a look goes, since transactions do not commit in the order of their times; each event is sent once."""
_LATE_NS: Final = 60 * NS
"""An event that is reported later than this after it happened is not shown as live."""
_TOLD_MAX: Final = 1000


async def tell_events(records: Records, cameras: Sequence[CameraId], tell: Tell) -> None:
    """Call ``tell(number of the camera, message)`` for each event from now on, until cancelled."""
    told: OrderedDict[tuple[UUID, UUID], None] = OrderedDict()
    since_ns = records.clock_ns()
    while True:
        now_ns = records.clock_ns()
        with contextlib.suppress(RetryableError):  # the pictures go on; other requests report it
            with wrapped_errors():
                rows = await records.pool.fetch(
                    sql.load("api.live", "live_events"),
                    list(cameras),
                    max(since_ns, now_ns - _BACK_NS),
                    now_ns - _LATE_NS,
                )
            for row in rows:
                key = row["event_id"], row["camera_id"]
                if key in told:
                    continue
                told[key] = None
                event = {
                    "event_id": str(row["event_id"]),
                    "door": row["door"],
                    "kind": row["kind"],
                    "at": to_iso(row["occurred_ns"]),
                }
                await tell(list(cameras).index(row["camera_id"]), {"event": event})
            while len(told) > _TOLD_MAX:
                told.popitem(last=False)
        await asyncio.sleep(LOOK_EVERY_S)
