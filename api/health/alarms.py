"""Present alarms for the banner of every page: kinds and counts for all staff, names for administrators.

An alarm whose cause is over, and that only waits for its all-clear, is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.health.parts import PartsDep
from api.http.problems import declared
from api.records import RecordsDep
from api.sign_in import rights
from api.sign_in.sessions import Watching
from domain.time import to_iso
from runtime.status import NOT_KNOWN, statuses

router = APIRouter(prefix="/v1", tags=["health"])


class ConditionAnswer(BaseModel):
    """One condition, with the name of what it concerns."""

    what: str
    remedy: str
    since: str


class KindAnswer(BaseModel):
    """All conditions of one kind."""

    kind: str
    count: int
    since: str = Field(description="Of the oldest.")
    urgent: bool
    conditions: list[ConditionAnswer] = Field(description="Only for administrators.")


class AlarmsAnswer(BaseModel):
    """Present alarms; unknown while `watched` is false."""

    now: str
    watched: bool
    silent_since: str | None
    raised: list[KindAnswer]


@router.get("/alarms", responses=declared(401))
async def alarms(records: RecordsDep, machine: PartsDep, session: Watching) -> AlarmsAnswer:
    """Answer all staff. Asking does not keep a session alive: pages ask by themselves."""
    status = await asyncio.to_thread(_notify, machine.run_directory)
    watched = status.get("state", "unknown") not in NOT_KNOWN
    since_ns = status.get("updated_ns")
    named = rights.has_everywhere(session.grants, rights.OPERATE)
    return AlarmsAnswer(
        now=to_iso(records.clock_ns()),
        watched=watched,
        silent_since=None if watched or since_ns is None else to_iso(since_ns),
        raised=list(by_kind(lasting(status), named=named)) if watched else [],
    )


def lasting(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What is wrong by the notify role's last look."""
    return [one for one in status.get("raised", ()) if one.get("over_since_ns") is None]


def by_kind(raised: Iterable[Mapping[str, Any]], *, named: bool) -> Iterator[KindAnswer]:
    """Group what the notify role reports: urgent kinds first, then the oldest. ``named``: say which things."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for one in raised:
        kinds.setdefault(str(one["kind"]), []).append(one)
    answers = [
        KindAnswer(
            kind=kind,
            count=len(ones),
            since=to_iso(min(one["since_ns"] for one in ones)),
            urgent=any(one["urgent"] for one in ones),
            conditions=[
                ConditionAnswer(what=one["what"], remedy=one["remedy"], since=to_iso(one["since_ns"]))
                for one in (ones if named else ())
            ],
        )
        for kind, ones in kinds.items()
    ]
    yield from sorted(answers, key=lambda answer: (not answer.urgent, answer.since))


def _notify(run_directory: Path) -> dict[str, Any]:
    return next((one for one in statuses(run_directory) if one["role"] == "notify"), {})
