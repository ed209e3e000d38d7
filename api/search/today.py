"""What is wrong today: how many refused cards, doors held or forced open, and openings close upon one another."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.problems import declared, not_found
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.purposes import Stated
from api.sign_in.scope import load_scope
from api.sign_in.sessions import SignedIn
from domain.time import NS
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import CLOSE_NS

router = APIRouter(prefix="/v1", tags=["search"])


class Today(BaseModel):
    """Counts since midnight, each site's own."""

    denied: int = 0
    held_open: int = 0
    forced_open: int = 0
    close: int = Field(default=0, description="Doors unlocked within ten seconds of the time before.")


@router.get("/find/today", responses=declared(401, 404))
async def today(records: RecordsDep, session: SignedIn, purpose: Stated) -> Today:
    """What there is to look at. The counts name no member, so showing them is not a look."""
    scope = await load_scope(records, session, rights.LOOK)
    if not scope.sites:
        raise not_found()
    now_ns = records.clock_ns()
    counts = dict.fromkeys(Today.model_fields, 0)
    for zone in {site.time_zone for site in scope.sites.values()}:
        sites = [site.site_id for site in scope.sites.values() if site.time_zone == zone]
        with wrapped_errors():
            row = await records.pool.fetchrow(
                sql.load("api.search", "wrong_since"),
                sites,
                list(scope.doors),
                midnight(now_ns, zone),
                now_ns,
                CLOSE_NS,
            )
        for name in counts:
            counts[name] += row[name]
    return Today(**counts)


def midnight(now_ns: int, zone: str) -> int:
    """Return the last midnight of a time zone, in UTC nanoseconds."""
    day = datetime.fromtimestamp(now_ns // NS, tz=ZoneInfo(zone)).date()
    return int(datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp()) * NS
