"""Who may have signed: the enrolled recorders, revoked ones with the time until which they count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from domain.ids import RecorderId
from runtime import sql
from runtime.database import wrapped_errors

_PACKAGE = "storage.catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    public_key: bytes
    revoked_ns: int | None


Recorders = Mapping[RecorderId, Enrolled]


async def read_recorders(pool: asyncpg.Pool | asyncpg.Connection) -> Recorders:
    """All that were ever enrolled."""
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "recorders"))
    return {
        RecorderId(row["recorder_id"]): Enrolled(public_key=row["public_key"], revoked_ns=row["revoked_ns"])
        for row in rows
    }
