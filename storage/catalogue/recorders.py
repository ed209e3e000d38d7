"""The enrolled recorders: whose signatures on trailers are valid, and until when."""

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
    """A recorder that was enrolled at some time."""

    public_key: bytes  # Ed25519, 32 bytes
    revoked_ns: int | None  # segments that end later are not accepted; None: not revoked


Recorders = Mapping[RecorderId, Enrolled]


async def read_recorders(pool: asyncpg.Pool | asyncpg.Connection) -> Recorders:
    """Return every recorder that was ever enrolled, revoked ones included. Raises the database errors."""
    with wrapped_errors():
        rows = await pool.fetch(sql.load(_PACKAGE, "recorders"))
    return {
        RecorderId(row["recorder_id"]): Enrolled(public_key=row["public_key"], revoked_ns=row["revoked_ns"])
        for row in rows
    }
