"""Appends audit entries. Callers append first and answer afterwards (invariant 5): a look is durable before it happens.

The database chains the entries (function ``audit_append``); custodian/audit verifies the chain and signs its head.
"""

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
    *(
        "look",
        "look_whole",
        "look_live",
        "export",
        "export_asked",
        "export_previewed",
        "export_approved",
        "export_declined",
        "export_cancelled",
        "export_lapsed",
        "export_reopened",
        "export_made",
        "export_fetched",
    ),
    *("find", "visit", "timeline", "search_members", "search_visits", "search_events", "purpose"),
    *("look_refused", "look_live_refused", "export_refused"),
    *("sign_in", "sign_in_failed", "step_up", "step_up_failed", "sign_out", "password_changed", "recovery_codes"),
    *("staff_created", "staff_grants", "staff_disabled", "staff_enabled"),
    *("factor_reset", "password_reset", "signed_out"),
    *("members_imported", "member_ended", "quarantine_replayed"),
    *("event_withdrawn", "event_superseded", "events_reassigned"),
    *("enrol", "verify", "rebuild", "make_past_keys", "open_intake", "heads_restored"),
    *("expired", "retention_changed", "retention_confirmed"),
    *("case_opened", "case_entry", "case_review", "hold_placed", "case_end_asked", "case_kept", "case_ended"),
    *("bookmark_added", "bookmark_filed", "bookmark_removed"),
    *("erasure_asked", "erasure_approved", "erasure_refused", "erasure_cancelled", "erased"),
    *("register_read", "register_changed", "register_rights", "register_exported"),
    *("consent_given", "consent_withdrawn"),
    *("request_received", "request_identified", "request_extended"),
    *("request_answered", "request_refused", "request_withdrawn", "copy_made", "person_erased"),
    "recipient_recorded",
    *("member_sign_in", "member_sign_in_failed", "member_sign_out", "member_read", "member_email_asked"),
    *("disclosure", "audit_read", "exports_listed"),
)
"""Every action that a role records, in the order in which the audit page lists them.

The migration's table ``audit_writer`` says which role may record which, and refuses any other.
"""

_PACKAGE: Final = "storage.catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An audit entry. It holds ids, times and counts: never a name, a reason or typed text."""

    actor: str  # "staff:<uuid>", "member:<uuid>", "operator", "user:<uid>", "nobody"
    action: str
    session_id: SessionId | None = None
    purpose_id: UUID | None = None
    member_id: MemberId | None = None
    camera_id: CameraId | None = None
    span: Span | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


async def append(conn: asyncpg.Connection | asyncpg.Pool, entry: Entry, at_ns: int) -> int:
    """Append an entry and return its number in the chain. Durable on return.

    Raises the database errors of runtime/errors.py. The entry may exist even so, when the response was lost.
    """
    with wrapped_errors():
        return await append_in(conn, entry, at_ns)


async def append_in(conn: asyncpg.Connection | asyncpg.Pool, entry: Entry, at_ns: int) -> int:
    """Append an entry within the caller's transaction, whose commit then waits for the disk.

    The caller wraps the driver's errors.
    """
    start_ns, end_ns = (entry.span.start_ns, entry.span.end_ns) if entry.span else (None, None)
    seq: int = await conn.fetchval(
        sql.load(_PACKAGE, "audit_append"),
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
