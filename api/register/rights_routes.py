"""Who sees what of the register: set by administrators, and shown by its effect. And the whole register as CSV."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from api.http.problems import Problem, declared, not_found
from api.records import RecordsDep
from api.register.levels import FIELDS, ROLES, Rights, everywhere, grants_of, load_rights, merged
from api.register.shapes import RightsAnswer, RightsBody, SeesAnswer
from api.sign_in import rights
from api.sign_in.purposes import StatedForMembers
from api.sign_in.rights import has_any, has_everywhere
from api.sign_in.scope import scope_of
from api.sign_in.sessions import Session, SignedIn, require_step_up
from domain.ids import StaffId
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit
from storage.register.table import export_lines

router = APIRouter(prefix="/v1", tags=["register"])


@router.get("/register-rights", responses=declared(401, 404))
async def shown(records: RecordsDep, session: SignedIn) -> RightsAnswer:
    """What each role sees of the register."""
    _administrator(session)
    return _answer(await load_rights(records.pool))


@router.put("/register-rights", responses=declared(401, 404))
async def replace(records: RecordsDep, session: SignedIn, body: RightsBody) -> RightsAnswer:
    """Replace them all, effective from the next request. Needs a fresh code."""
    _administrator(session)
    require_step_up(records, session)
    rows = [(role, each, level) for role, levels in body.rights.items() for each, level in levels.items()]
    if any(each not in FIELDS for _, each, _ in rows):
        raise Problem(422, "invalid", "There is no such field.", "Look at GET /v1/register-rights.")
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            await conn.execute(sql.load("api.register", "rights_drop"))
            columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
            await conn.execute(sql.load("api.register", "rights_set"), *columns)
            entry = audit.Entry(
                actor=session.actor,
                action="register_rights",
                session_id=session.session_id,
                detail={"rights": body.model_dump()["rights"]},
            )
            await audit.append_in(conn, entry, records.clock_ns())
    return _answer(await load_rights(records.pool))


@router.get("/staff/{staff_id}/sees", responses=declared(401, 404))
async def sees(records: RecordsDep, session: SignedIn, staff_id: UUID) -> SeesAnswer:
    """What one of the staff sees: which fields of which members, and which cameras and doors."""
    _administrator(session)
    grants = await grants_of(records, staff_id)
    if grants is None:
        raise not_found()
    scope = await scope_of(records, StaffId(staff_id), grants, rights.LOOK)
    searches = has_any(grants, rights.MEMBERS)
    return SeesAnswer(
        staff_id=staff_id,
        members="none" if not searches else "all" if has_everywhere(grants, rights.MEMBERS) else "at_their_doors",
        fields=dict(merged(await load_rights(records.pool), {each.role for each in grants}).by_field),
        cameras=[each.name for each in scope.cameras.values() if not each.removed],
        doors=[each.name for each in scope.doors.values() if not each.removed],
    )


@router.get(
    "/register.csv",
    responses=declared(401, 404) | {200: {"content": {"text/csv": {}}}},
    response_class=Response,
)
async def export(records: RecordsDep, session: SignedIn, purpose: StatedForMembers) -> Response:
    """The whole register, as far as one sees all members' fields, for administrators with a fresh code."""
    _administrator(session)
    require_step_up(records, session)
    fields = everywhere(await load_rights(records.pool), session.grants).fields
    entry = audit.Entry(
        actor=session.actor,
        action="register_exported",
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        detail={"fields": [each.value for each in fields]},
    )
    await audit.append(records.pool, entry, records.clock_ns())
    headers = {"Content-Disposition": 'attachment; filename="register.csv"'}
    async with records.pool.acquire() as conn:
        # Whole and at once: an answer in pieces would go on after the right to it has gone.
        text = "".join([line async for line in export_lines(conn, fields)])
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _administrator(session: Session) -> None:
    if not has_everywhere(session.grants, rights.OPERATE):
        raise not_found()


def _answer(found: Rights) -> RightsAnswer:
    return RightsAnswer(fields=list(FIELDS), rights={role: dict(found[role]) for role in ROLES})
