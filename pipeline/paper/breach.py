"""Gathers what was exposed from the database. That it was read is on record first, with every member that it names."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg

from domain.ids import CameraId, MemberId
from domain.time import NS, Span
from paper.exposed import ExposedLook, ExposedMember, Exposure, How
from pipeline.errors import SetupError
from storage.access import Exposed, camera_names, exposed, known_since, members, members_seen, staff_of_name
from storage.access.exposure import EXPORTS, FOOTAGE, SEARCHES
from storage.catalogue import audit

_MEMBERS_AN_ENTRY: Final = 500


async def exposure_of(
    conn: asyncpg.Connection, controller: str, period: Span, user_name: str | None, now_ns: int
) -> Exposure:
    """SetupError: there is no such person. Raises the database errors."""
    staff_id = None if user_name is None else await _staff(conn, user_name)
    found = await exposed(conn, period, staff_id)
    named = Counter(member_id for one in found for member_id in one.members)
    seen = await members_seen(conn, _spans(found))
    everyone = sorted({*named, *seen}, key=str)
    await _on_record(conn, period, len(found), everyone, now_ns)
    known = await members(conn, everyone)
    cameras = await camera_names(conn, {camera for one in found for camera in one.cameras})
    events_ns, entries_ns = await known_since(conn)
    listed = [
        ExposedMember(
            number=known[member_id].number if member_id in known else str(member_id),
            name=known[member_id].name if member_id in known else "",
            named=named[member_id],
            cameras=tuple(sorted(cameras.get(camera, str(camera)) for camera in seen.get(member_id, ()))),
        )
        for member_id in everyone
    ]
    return Exposure(
        controller=controller,
        start=_local(period.start_ns),
        end=_local(period.end_ns),
        person=user_name or "",
        looks=tuple(_look(one, cameras) for one in found),
        members=tuple(sorted(listed, key=lambda member: (member.name, member.number))),
        events_since="" if events_ns is None else _local(events_ns),
        entries_since="" if entries_ns is None else _local(entries_ns),
        whole_register=any(one.action == "register_exported" for one in found),
    )


async def _staff(conn: asyncpg.Connection, user_name: str) -> UUID:
    found = await staff_of_name(conn, user_name)
    if found is None:
        raise SetupError(f"There is no staff account {user_name!r}.", "Name the user name, as on the page Staff.")
    return found


def _spans(found: list[Exposed]) -> dict[CameraId, list[Span]]:
    spans: dict[CameraId, list[Span]] = {}
    for one in found:
        if one.span is not None and one.action in (*FOOTAGE, *EXPORTS):
            for camera in one.cameras:
                spans.setdefault(camera, []).append(one.span)
    return spans


async def _on_record(conn: asyncpg.Connection, period: Span, entries: int, named: list[MemberId], now_ns: int) -> None:
    """Before anything is shown: members may ask who read of them, and here it was the operator."""
    for number in range(0, max(1, len(named)), _MEMBERS_AN_ENTRY):
        part = [str(member_id) for member_id in named[number : number + _MEMBERS_AN_ENTRY]]
        detail = {"paper": "breach", "entries": entries, "members": part}
        entry = audit.Entry(actor="operator", action="audit_read", span=period, detail=detail)
        await audit.append(conn, entry, now_ns)


def _look(one: Exposed, cameras: dict[CameraId, str]) -> ExposedLook:
    footage = one.span is not None and one.action in (*FOOTAGE, *EXPORTS)
    return ExposedLook(
        at=_local(one.at_ns),
        person=one.person,
        how=_how(one.action),
        action=one.action,
        purpose=one.purpose or "",
        cameras=tuple(cameras.get(camera, str(camera)) for camera in one.cameras),
        footage=f"{_local(one.span.start_ns)} – {_local(one.span.end_ns)}" if footage and one.span else "",
        members=len(one.members),
    )


def _how(action: str) -> How:
    if action in FOOTAGE:
        return How.FOOTAGE
    if action in EXPORTS:
        return How.EXPORT
    return How.SEARCH if action in SEARCHES else How.RECORDS


def _local(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // NS, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
