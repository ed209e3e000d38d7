"""Routes: the audit trail as auditors and administrators read it, page by page and as a table."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel

from api.audit.finding import LAST, Filters
from api.audit.reading import AuditEntryAnswer, AuditPage, read_page
from api.audit.table import ENTRIES_MAX, PAGE, table
from api.http.problems import Problem, declared
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.scope import load_scope
from api.sign_in.sessions import SignedIn, require
from runtime import sql
from runtime.database import wrapped_errors

router = APIRouter(prefix="/v1", tags=["audit"])


class Choice(BaseModel):
    """A value of a filter and the name to show for it."""

    value: str
    name: str


class Choices(BaseModel):
    """What the audit trail can be filtered by."""

    people: list[Choice]
    cameras: list[Choice]


@router.get("/audit", responses=declared(401, 404))
async def audit_trail(
    records: RecordsDep,
    session: SignedIn,
    filters: Annotated[Filters, Depends()],
    before: Annotated[int, Query(ge=1, le=LAST, description="`next` of the page before.")] = LAST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """Newest first. Auditors of single sites or cameras see only entries about their cameras."""
    require(session, rights.AUDIT)
    return await read_page(
        records, session, await load_scope(records, session, rights.AUDIT), filters, before, limit=limit
    )


@router.get("/audit/choices", responses=declared(401, 404))
async def choices(records: RecordsDep, session: SignedIn) -> Choices:
    """The staff and cameras by which one may filter."""
    require(session, rights.AUDIT)
    scope = await load_scope(records, session, rights.AUDIT)
    everything = rights.has_everywhere(session.grants, rights.AUDIT)
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load("api.audit", "audit_people"), everything, list(scope.cameras))
    return Choices(
        people=[Choice(value=f"staff:{row['staff_id']}", name=row["display_name"]) for row in rows],
        cameras=[Choice(value=str(camera.camera_id), name=camera.name) for camera in scope.cameras.values()],
    )


@router.get("/audit.csv", response_class=Response, responses=declared(401, 404, 422))
async def audit_table(records: RecordsDep, session: SignedIn, filters: Annotated[Filters, Depends()]) -> Response:
    """Return every entry that the filters leave, at most 20,000. Each 500 of them are an entry of their own."""
    require(session, rights.AUDIT)
    scope = await load_scope(records, session, rights.AUDIT)
    found: list[AuditEntryAnswer] = []
    page = await read_page(records, session, scope, filters, limit=PAGE, rounds=None)
    found += page.entries
    while page.next is not None:
        if len(found) >= ENTRIES_MAX:
            raise Problem(422, "too-much", f"There are more than {ENTRIES_MAX:,} entries.", "Name a shorter time.")
        page = await read_page(records, session, scope, filters, page.next, limit=PAGE, rounds=None)
        found += page.entries
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"}
    return Response(table(found), media_type="text/csv; charset=utf-8", headers=headers)
