"""Hour keys for hours that are over: what `tallenne import` needs, asked for by the operator's user, on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import asyncpg

from custodian.audit.record import Record
from custodian.errors import CustodianMisuseError
from custodian.keys.hour_keys import HourKeyMaker, KeyedCamera
from domain.ids import CameraId
from domain.time import HOUR_NS, Span, hour_of, to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

_PACKAGE: Final = "custodian.keys"
HOURS_MAX: Final = 168  # in one request


class PastKeys:
    """Refuses hours past their retention, and hours for which the camera already has footage."""

    def __init__(self, pool: asyncpg.Pool, maker: HourKeyMaker, record: Record, *, clock_ns: Callable[[], int]) -> None:
        self._pool, self._maker, self._record, self._clock_ns = pool, maker, record, clock_ns

    async def make(self, camera_id: CameraId, span: Span, actor: str) -> int:
        """How many keys were made; hours that have one keep it. CustodianMisuseError says what is refused and why."""
        now_ns = self._clock_ns()
        hours = (hour_of(span.end_ns - 1) - hour_of(span.start_ns)) // HOUR_NS + 1
        if span.start_ns >= span.end_ns or hours > HOURS_MAX:
            raise CustodianMisuseError(
                f"Keys for {hours} hours were asked for.", f"Import at most {HOURS_MAX} hours at once."
            )
        if span.end_ns > now_ns:
            raise CustodianMisuseError(
                f"{to_iso(span.end_ns)} is in the future.", "Give the time at which the footage was recorded."
            )
        camera = await self._camera(camera_id)
        await self._check_retention(camera, span, now_ns)
        await self._check_free(camera_id, span)
        wanted = await self._maker.missing(camera, hour_of(span.start_ns), hour_of(span.end_ns - 1))
        entry = audit.Entry(
            actor=actor, action="make_past_keys", camera_id=camera_id, span=span, detail={"keys": len(wanted)}
        )
        await self._record.append(entry)
        await self._maker.make(wanted)
        return len(wanted)

    async def _camera(self, camera_id: CameraId) -> KeyedCamera:
        camera = next((item for item in await self._maker.cameras() if item.camera_id == camera_id), None)
        if camera is None:
            raise CustodianMisuseError(
                f"Camera {camera_id} is not known.", "Start Tallenne with the configuration that names it."
            )
        return camera

    async def _check_retention(self, camera: KeyedCamera, span: Span, now_ns: int) -> None:
        """Keys that would be due for destruction already are not made: nothing could open what they seal."""
        oldest_ns = hour_of(now_ns) - camera.lifetime_ns + HOUR_NS
        if hour_of(span.start_ns) < oldest_ns:
            raise CustodianMisuseError(
                f"Footage of this camera from before {to_iso(oldest_ns)} has expired by its retention.",
                "Import only what is younger, or change the camera's retention_h first.",
            )

    async def _check_free(self, camera_id: CameraId, span: Span) -> None:
        with wrapped_errors():
            row = await self._pool.fetchrow(sql.load(_PACKAGE, "footage_within"), camera_id, span.start_ns, span.end_ns)
        if row["start_ns"] is not None:
            raise CustodianMisuseError(
                f"The camera has footage from {to_iso(row['start_ns'])} to {to_iso(row['end_ns'])}"
                f" ({row['segments']} segments) within this span.",
                "Spans of a camera never overlap: give another --start, or cut the file.",
            )
