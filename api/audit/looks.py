"""Records searches: a search is a look."""

from __future__ import annotations

from collections.abc import Iterable

from api.records import Records
from api.sign_in.purposes import Purpose
from api.sign_in.sessions import Session
from domain.access import AccessEvent
from domain.ids import CameraId, MemberId
from domain.time import Span
from storage.access import MemberRow
from storage.access import members as members_by_id
from storage.catalogue import audit


async def record(
    records: Records,
    session: Session,
    purpose: Purpose,
    action: str,
    *,
    shown: Iterable[MemberId | None] = (),
    member_id: MemberId | None = None,
    camera_id: CameraId | None = None,
    span: Span | None = None,
    results: int,
) -> None:
    """Append an entry for a page of results; durable on return. ``shown``: the members whose data it holds."""
    found = sorted({str(each) for each in shown if each is not None})
    if member_id is None and len(found) == 1:
        member_id = next(each for each in shown if each is not None)
    entry = audit.Entry(
        actor=session.actor,
        action=action,
        session_id=session.session_id,
        purpose_id=purpose.purpose_id,
        member_id=member_id,
        camera_id=camera_id,
        span=span,
        detail={"results": results, "members": found},
    )
    await audit.append(records.pool, entry, records.clock_ns())


async def known_members(records: Records, events: Iterable[AccessEvent]) -> dict[MemberId, MemberRow]:
    """Return the people behind the events, if their link exists."""
    wanted = {event.member_id for event in events if event.member_id is not None}
    return await members_by_id(records.pool, list(wanted)) if wanted else {}
