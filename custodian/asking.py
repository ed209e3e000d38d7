"""Who asks the custodian to keep or erase footage, and whether they may: by the session, not by the api's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from custodian.errors import LookRefusedError
from domain.ids import CameraId, MemberId, SessionId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

_PACKAGE: Final = "custodian"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The session that asks, with the purpose that it stated."""

    session_id: SessionId
    purpose_id: UUID


async def allowed_staff(
    conn: asyncpg.Connection, asker: Asker, right: str, cameras: Sequence[CameraId], now_ns: int
) -> UUID:
    """The person's id. LookRefusedError unless the session has ``right`` (``staff_may()``) at all of these cameras.

    ``conn``: in the transaction that decides. Until its end, session, account and grants stay as they are.
    """
    with wrapped_errors():
        await conn.execute(sql.load(_PACKAGE, "lock_asker"), asker.session_id)
        values = asker.session_id, asker.purpose_id, list(cameras), now_ns, right
        row = await conn.fetchrow(sql.load(_PACKAGE, "case_asker"), *values)
    if row is None or not row["may"]:
        raise LookRefusedError("There is no such footage.")
    staff_id: UUID = row["staff_id"]
    return staff_id


def entry_of(
    asker: Asker,
    staff_id: UUID,
    action: str,
    detail: Mapping[str, Any],
    camera_id: CameraId | None = None,
    span: Span | None = None,
    member_id: MemberId | None = None,
) -> audit.Entry:
    """What the person did, for the audit chain."""
    return audit.Entry(
        actor=f"staff:{staff_id}",
        action=action,
        session_id=asker.session_id,
        purpose_id=asker.purpose_id,
        member_id=member_id,
        camera_id=camera_id,
        span=span,
        detail=detail,
    )
