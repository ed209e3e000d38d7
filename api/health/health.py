"""The health of the installation: three parts for load balancers and everybody, the roles for administrators."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.health.parts import PartsDep
from api.http.problems import declared
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.sessions import COOKIE, find_session
from domain.time import to_iso
from runtime.status import NOT_KNOWN, statuses

router = APIRouter(prefix="/v1", tags=["health"])


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
async def health(request: Request, records: RecordsDep, machine: PartsDep) -> HealthAnswer:
    """200 as long as this role answers; ``state`` says whether everything else does, the roles of this machine too."""
    parts = await machine.probe()
    here = await asyncio.to_thread(statuses, machine.run_directory)
    roles = None
    if parts["database"]:
        session = await find_session(records, request.cookies.get(COOKIE))
        if session is not None and rights.has_everywhere(session.grants, rights.OPERATE):
            roles = _roles(here)
    return HealthAnswer(state=state_of(parts, here), parts=parts, now=to_iso(records.clock_ns()), roles=roles)


def state_of(parts: dict[str, bool], roles: list[dict[str, Any]]) -> str:
    """Say "ready" when all parts answer, every role of this machine has said so lately, and its services work."""
    silent = any(role["state"] in NOT_KNOWN for role in roles)
    failing = any(service["state"] != "working" for role in roles for service in role.get("services", {}).values())
    return "ready" if all(parts.values()) and not silent and not failing else "degraded"


def _roles(here: list[dict[str, Any]]) -> list[RoleAnswer]:
    """The roles of this machine as their status files describe them, by role and instance."""
    return [_role(status) for status in sorted(here, key=lambda each: (str(each["role"]), str(each.get("instance"))))]


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
