"""The calendar of a camera: on which days of a month it has footage, and how many events its doors reported."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.http.problems import declared
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.scope import load_scope
from api.sign_in.sessions import SignedIn
from domain.ids import CameraId
from domain.time import NS
from runtime import sql
from runtime.database import wrapped_errors

router = APIRouter(prefix="/v1", tags=["footage"])
Month = Annotated[str, Query(pattern=r"^(19[7-9]\d|20\d\d|21\d\d)-(0[1-9]|1[0-2])$", description="Like 2026-11.")]


class DayAnswer(BaseModel):
    """A day of the camera's site, midnight to midnight there; `events` are those that the camera saw."""

    day: str
    footage: bool
    events: int


class DaysAnswer(BaseModel):
    """All days of the month."""

    time_zone: str
    days: list[DayAnswer]


@router.get("/cameras/{camera_id}/days", responses=declared(401, 404))
async def days(records: RecordsDep, session: SignedIn, camera_id: UUID, month: Month) -> DaysAnswer:
    """Days and counts: no members and no footage, so no purpose is needed. What opens nowhere counts as no footage."""
    scope = await load_scope(records, session, rights.LOOK)
    camera = scope.camera(CameraId(camera_id))
    zone = scope.zone_of(camera.site_id)
    begins = _days(month)
    edges = [_midnight(day, zone) for day in begins]
    with wrapped_errors():
        rows = await records.pool.fetch(
            sql.load("api.cameras", "days"), camera.camera_id, edges[:-1], edges[1:], list(scope.doors)
        )
    return DaysAnswer(
        time_zone=zone,
        days=[
            DayAnswer(day=day.isoformat(), footage=row["footage"], events=row["events"])
            for day, row in zip(begins[:-1], rows, strict=True)
        ],
    )


def _days(month: str) -> list[date]:
    """Return the days of a month like 2026-11 and the first one after it."""
    first = date.fromisoformat(f"{month}-01")
    after = (first + timedelta(days=31)).replace(day=1)
    return [first + timedelta(days=number) for number in range((after - first).days + 1)]


def _midnight(day: date, zone: str) -> int:
    return max(0, int(datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp())) * NS
