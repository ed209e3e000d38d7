"""The health of the installation: three parts for load balancers and everybody, the roles for administrators."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.http.problems import declared
from api.services import Ours, Services
from api.sign_in import rights
from api.sign_in.sessions import COOKIE, find_session
from domain.errors import TallenneError
from domain.time import to_iso
from runtime import sql
from runtime.database import wrapped_errors
from runtime.status import NOT_KNOWN, statuses

router = APIRouter(prefix="/v1", tags=["health"])
PROBE_S: Final = 3.0


class RoleAnswer(BaseModel):
    """A role's last status and its present problems."""

    role: str
    instance: str
    state: str
    updated: str | None
    problems: list[dict[str, str]]


class HealthAnswer(BaseModel):
    """Whether each part answers; `roles` only for administrators."""

    state: str
    parts: dict[str, bool]
    now: str
    roles: list[RoleAnswer] | None = None


@router.get("/health", responses=declared())
async def health(request: Request, services: Ours) -> HealthAnswer:
    """200 as long as this role answers; ``state`` says whether everything else does, the roles of this machine too."""
    parts = await probe(services)
    here = await asyncio.to_thread(statuses, services.settings.run_directory)
    roles = None
    if parts["database"]:
        session = await find_session(services, request.cookies.get(COOKIE))
        if session is not None and rights.has_everywhere(session.grants, rights.OPERATE):
            roles = await _roles(services, here)
    return HealthAnswer(state=state_of(parts, here), parts=parts, now=to_iso(services.clock_ns()), roles=roles)


def state_of(parts: dict[str, bool], roles: list[dict[str, Any]]) -> str:
    """Say "ready" when all parts answer, and every role of this machine has said so lately; else "degraded"."""
    well = all(parts.values()) and not any(role["state"] in NOT_KNOWN for role in roles)
    return "ready" if well else "degraded"


async def probe(services: Services) -> dict[str, bool]:
    """Which of the other parts answer, asked at once."""
    names = ("database", "store", "custodian")
    answers = await asyncio.gather(
        _answers(_database(services)), _answers(services.store.stat("health")), _answers(services.custodian.identity())
    )
    return dict(zip(names, answers, strict=True))


async def _answers(question: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(PROBE_S):
            await question
    except (TallenneError, TimeoutError, OSError):
        return False
    return True


async def _database(services: Services) -> None:
    with wrapped_errors():
        await services.pool.fetchval("SELECT 1")


async def _roles(services: Services, here: list[dict[str, Any]]) -> list[RoleAnswer]:
    """What the roles say of themselves: on this machine in files, elsewhere in the database. The newer word counts."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    with wrapped_errors():
        rows = await services.pool.fetch(sql.load("api.health", "role_status"))
    said = [
        {**json.loads(row["status"]), "role": row["role"], "instance": row["instance"], "updated_ns": row["updated_ns"]}
        for row in rows
    ]
    for status in [*said, *here]:
        key = (str(status["role"]), str(status.get("instance")))
        if key not in found or found[key].get("updated_ns", 0) <= status.get("updated_ns", 0):
            found[key] = status
    return [_role(status) for _, status in sorted(found.items())]


def _role(status: dict[str, Any]) -> RoleAnswer:
    updated_ns = status.get("updated_ns")
    return RoleAnswer(
        role=str(status.get("role")),
        instance=str(status.get("instance")),
        state=str(status.get("state", "unknown")),
        updated=to_iso(updated_ns) if isinstance(updated_ns, int) else None,
        problems=[
            {"what": str(problem.get("what", "")), "remedy": str(problem.get("remedy", ""))}
            for problem in status.get("problems", [])
            if isinstance(problem, dict)
        ],
    )
