"""Putting looks on record. An answer leaves only after its entry is durable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg

from domain.ids import CameraId, MemberId, SessionId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors

ACTIONS: Final = (
    *("look", "export", "export_asked", "export_approved", "export_made", "export_fetched"),
    *("find", "visit", "timeline", "search_members", "search_visits", "search_events", "purpose"),
    *("look_refused", "export_refused"),
    *("sign_in", "sign_in_failed", "step_up", "step_up_failed", "sign_out", "password_changed", "recovery_codes"),
    *("staff_created", "staff_grants", "staff_disabled", "staff_enabled"),
    *("factor_reset", "password_reset", "signed_out"),
    *("members_imported", "event_withdrawn", "event_superseded", "events_reassigned", "quarantine_replayed"),
    *("enrol", "verify", "rebuild", "make_past_keys", "open_intake"),
    *("disclosure", "audit_read"),
)
"""All that any role puts on record, in the order in which the audit page offers them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is put on record. Ids, times and counts: never a name, a reason or what somebody typed."""

    actor: str  # "staff:<uuid>", "operator", "nobody"
    action: str
    session_id: SessionId | None = None
    purpose_id: UUID | None = None
    member_id: MemberId | None = None
    camera_id: CameraId | None = None
    span: Span | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


async def append(pool: asyncpg.Pool, entry: Entry, at_ns: int) -> int:
    """Its number in the chain, once it is durable. The database errors of storage."""
    with wrapped_errors():
        return await append_in(pool, entry, at_ns)


async def append_in(conn: asyncpg.Connection | asyncpg.Pool, entry: Entry, at_ns: int) -> int:
    """The same within the caller's transaction, which thereby becomes a durable one."""
    start_ns, end_ns = (entry.span.start_ns, entry.span.end_ns) if entry.span else (None, None)
    seq: int = await conn.fetchval(
        sql.load("storage.catalogue", "audit_append"),
        at_ns,
        entry.actor,
        entry.action,
        entry.session_id,
        entry.purpose_id,
        entry.member_id,
        entry.camera_id,
        start_ns,
        end_ns,
        json.dumps(entry.detail),
    )
    return seq
