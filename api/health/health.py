"""The health of the installation: a word for monitors, the parts for staff, the roles for administrators."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.health.parts import Parts, PartsDep
from api.http.problems import declared
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.sessions import SignedIn
from domain.time import to_iso
from runtime.status import NOT_KNOWN, statuses

router = APIRouter(prefix="/v1", tags=["health"])
_AT_WORK: Final = ("ready", "degraded")


class RoleAnswer(BaseModel):
    """A role's last status and its present problems."""

    role: str
    instance: str
    state: str
    updated: str | None
    problems: list[dict[str, str]]


class HealthAnswer(BaseModel):
    """Whether everything essential works: "ready", else "degraded"."""

    state: str
    now: str


class PartsAnswer(HealthAnswer):
    """Which parts answer; `roles` only for administrators."""

    parts: dict[str, bool]
    roles: list[RoleAnswer] | None = None


class LiveAnswer(BaseModel):
    """This role answers."""

    state: str


@router.head("/health", include_in_schema=False)
@router.get("/health", responses={**declared(), 503: {"model": HealthAnswer, "description": "Not ready."}})
async def health(records: RecordsDep, machine: PartsDep, response: Response) -> HealthAnswer:
    """Answer monitors and load balancers: 200 when everything essential works, else 503; without details."""
    parts, here = await _look(machine)
    state = state_of(parts, here, machine.roles)
    response.status_code = 200 if state == "ready" else 503
    return HealthAnswer(state=state, now=to_iso(records.clock_ns()))


@router.head("/health/live", include_in_schema=False)
@router.get("/health/live", responses=declared())
async def live() -> LiveAnswer:
    """Answer 200 as long as this role answers, so that the pages can be reached while something else is away."""
    return LiveAnswer(state="live")


@router.get("/health/parts", responses=declared(401))
async def health_parts(records: RecordsDep, machine: PartsDep, session: SignedIn) -> PartsAnswer:
    """Answer staff: which parts answer, and to administrators what each role says."""
    parts, here = await _look(machine)
    roles = _roles(here) if rights.has_everywhere(session.grants, rights.OPERATE) else None
    now, state = to_iso(records.clock_ns()), state_of(parts, here, machine.roles)
    return PartsAnswer(state=state, now=now, parts=parts, roles=roles)


async def _look(machine: Parts) -> tuple[dict[str, bool], list[dict[str, Any]]]:
    parts = await machine.probe()
    return parts, await asyncio.to_thread(statuses, machine.run_directory)


def state_of(parts: dict[str, bool], roles: list[dict[str, Any]], expected: Sequence[str] = ()) -> str:
    """Return "ready" when all parts answer, every role of this machine has recently said so, and its services work.

    A camera that waits for this machine (a full disk or spool, no keys) is not recorded: that is not ready. One that is
    away is an alarm's.
    """
    silent = any(role["state"] in NOT_KNOWN for role in roles)
    at_work = {role["role"] for role in roles if role["state"] in _AT_WORK}
    failing = any(service["state"] != "working" for role in roles for service in role.get("services", {}).values())
    recorders = [role for role in roles if role["role"] == "ingest"]  # others have another "cameras": a count, a list
    waiting = any(camera["state"] == "waiting" for one in recorders for camera in one.get("cameras", {}).values())
    well = all(parts.values()) and not silent and not failing and not waiting and at_work.issuperset(expected)
    return "ready" if well else "degraded"


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
