"""The health of cameras, as ingest reports it, for the API; and what of it is still known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from domain.ids import CameraId
from domain.time import NS
from runtime import sql
from runtime.database import wrapped_errors
from runtime.status import KNOWN_PERIODS, NOT_KNOWN

_PACKAGE: Final = "storage.catalogue"
HEALTH_EVERY_S: Final = 5.0
_KNOWN_NS: Final = int(KNOWN_PERIODS * HEALTH_EVERY_S * NS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """report: None when nothing is known now. updated_ns: when something was known, or None for never."""

    report: Mapping[str, Any] | None
    updated_ns: int | None


def known_now(
    rows: Iterable[Mapping[str, Any]], statuses: Sequence[Mapping[str, Any]], now_ns: int
) -> dict[CameraId, Known]:
    """Each camera's health: as its recorder on this machine says it now, else as its row does, unless that is too old.

    rows: with ``camera_id``, ``updated_ns`` and ``health`` (JSON, or None)
    statuses: of ``runtime.status.statuses()``: a recorder that says nothing is noticed there much sooner than by rows
    """
    here = {
        str(camera_id): Known(
            report=None if one["state"] in NOT_KNOWN else report, updated_ns=int(one.get("updated_ns", 0))
        )
        for one in statuses
        if one.get("role") == "ingest"
        for camera_id, report in one.get("cameras", {}).items()
    }
    found = {}
    for row in rows:
        said, stored = here.get(str(row["camera_id"])), _stored(row, now_ns)
        moved = said is not None and said.report is None and (stored.updated_ns or 0) > (said.updated_ns or 0) + NS
        found[CameraId(row["camera_id"])] = stored if said is None or moved else said
    return found


def _stored(row: Mapping[str, Any], now_ns: int) -> Known:
    updated_ns = row["updated_ns"]
    fresh = updated_ns is not None and now_ns - updated_ns <= _KNOWN_NS
    return Known(report=json.loads(row["health"] or "{}") if fresh else None, updated_ns=updated_ns)


async def save_health(pool: asyncpg.Pool, reports: Mapping[CameraId, Mapping[str, Any]], now_ns: int) -> None:
    """Replace the health of these cameras; cameras that the inventory does not know are ignored.

    ``reports``: JSON objects. Raises the database errors of runtime/errors.py.
    """
    ids = list(reports)
    with wrapped_errors():
        await pool.execute(
            sql.load(_PACKAGE, "camera_health_save"),
            ids,
            [json.dumps(reports[item]) for item in ids],
            now_ns,
        )
