"""POST /v1/purposes: a person states why they are about to look."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.http.problems import declared
from api.http.texts import LINE
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.purposes import Category, PurposeAnswer
from api.sign_in.sessions import SignedIn, require
from domain.time import to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

router = APIRouter(prefix="/v1", tags=["purpose"])

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=LINE)]


class PurposeBody(BaseModel):
    """Why a person wants to look."""

    model_config = ConfigDict(extra="forbid")
    category: Category
    reason: Reason = Field(description="What it is about, in a few words. No more about people than needed.")


@router.post("/purposes", status_code=201, responses=declared(401, 404))
async def state_purpose(body: PurposeBody, records: RecordsDep, session: SignedIn) -> PurposeAnswer:
    """State what the looks that follow are for."""
    require(session, rights.MEMBERS)
    purpose_id, now_ns = uuid.uuid4(), records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            query = sql.load("api.sign_in", "purpose_add")
            await conn.execute(query, purpose_id, session.session_id, body.category.value, body.reason, now_ns)
            entry = audit.Entry(
                actor=session.actor,
                action="purpose",
                session_id=session.session_id,
                purpose_id=purpose_id,
                detail={"category": body.category.value},
            )
            await audit.append_in(conn, entry, now_ns)
    return PurposeAnswer(purpose_id=purpose_id, category=body.category, reason=body.reason, stated=to_iso(now_ns))
