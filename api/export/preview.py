"""What a second person sees of an export before deciding about it: the very clip, and the members at its doors.

The preview has a purpose of its own, which names the export: under it the custodian opens what the export asks for, as
the approver's look, while the export waits, and nothing else (``staff_may_preview``).
"""

from __future__ import annotations

import uuid
from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field

from api.export.answers import ExportAnswer
from api.export.rows import ExportRow, entry
from api.records import Records
from api.search.answers import GapAnswer, MemberAnswer, SpanAnswer
from api.search.coverage import first_known, footage_spans, gap_answers, span_answer
from api.sign_in.scope import Scope
from api.sign_in.sessions import Session
from domain.ids import CameraId
from domain.time import Span, to_iso
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import Catalogue, audit

PEOPLE_MAX: Final = 500
_PACKAGE: Final = "api.export"


class PreviewCamera(BaseModel):
    """One camera of an export: its footage and gaps tile the span that is asked for."""

    camera_id: UUID
    name: str
    footage: list[SpanAnswer]
    gaps: list[GapAnswer]


class PreviewMember(MemberAnswer):
    """A member whose credential was used at a door of one of the cameras, so that the clip shows the moment."""

    passages: int
    first: str


class PreviewAnswer(BaseModel):
    """An export as its approver sees it before deciding."""

    export: ExportAnswer
    purpose_id: UUID = Field(description="For the clips of this export, and for nothing else.")
    cameras: list[PreviewCamera]
    members: list[PreviewMember] = Field(description="Minors first.")
    more_members: bool


async def preview(
    records: Records, session: Session, scope: Scope, row: ExportRow, answer: ExportAnswer
) -> PreviewAnswer:
    """Return what the approver sees, once it is on record that they see it. ``scope``: the person's, as approver."""
    cameras = [await _camera(records, scope, camera_id, row.span) for camera_id in row.camera_ids]
    with wrapped_errors():
        values = list(row.camera_ids), row.span.start_ns, row.span.end_ns, PEOPLE_MAX + 1
        people = await records.pool.fetch(sql.load(_PACKAGE, "preview_people"), *values)
    shown = people[:PEOPLE_MAX]
    purpose_id = await _recorded(records, session, row, [str(each["member_id"]) for each in shown])
    return PreviewAnswer(
        export=answer,
        purpose_id=purpose_id,
        cameras=cameras,
        members=[
            PreviewMember(
                member_id=each["member_id"],
                number=each["number"],
                name=each["name"],
                minor=each["minor"],
                passages=each["passages"],
                first=to_iso(each["first_ns"]),
            )
            for each in shown
        ],
        more_members=len(people) > len(shown),
    )


async def _camera(records: Records, scope: Scope, camera_id: CameraId, span: Span) -> PreviewCamera:
    footage = (await footage_spans(records, [camera_id], span)).get(camera_id, [])
    known = await Catalogue(records.pool).gaps([camera_id], span)
    camera, first_ns = scope.camera(camera_id), await first_known(records, camera_id)
    return PreviewCamera(
        camera_id=camera_id,
        name=camera.name,
        footage=[span_answer(piece) for piece in footage],
        gaps=gap_answers(span, footage, known, records.clock_ns(), camera.retention_s, first_ns),
    )


async def _recorded(records: Records, session: Session, row: ExportRow, members: list[str]) -> UUID:
    """Record the preview, under the purpose that this session has for it; return the purpose's id."""
    now_ns = records.clock_ns()
    with wrapped_errors():
        async with records.pool.acquire() as conn, conn.transaction():
            query = sql.load(_PACKAGE, "preview_purpose")
            purpose_id: UUID | None = await conn.fetchval(query, session.session_id, row.export_id)
            if purpose_id is None:
                purpose_id = uuid.uuid4()
                stated = purpose_id, session.session_id, row.export_id, now_ns
                await conn.execute(sql.load(_PACKAGE, "preview_purpose_add"), *stated)
            seen = entry(
                session, row, "export_previewed", {"asked_by": str(row.staff_id), "members": members}, purpose_id
            )
            await audit.append_in(conn, seen, now_ns)
    return purpose_id


async def may_look(
    records: Records, session: Session, purpose_id: UUID, export_id: UUID, camera_id: CameraId, span: Span
) -> bool:
    """Whether the session may see this of the export under this purpose: while it waits, and is theirs to decide."""
    values = session.session_id, purpose_id, export_id, camera_id, span.start_ns, span.end_ns, records.clock_ns()
    with wrapped_errors():
        return bool(await records.pool.fetchval(sql.load(_PACKAGE, "preview_may"), *values))


async def unseen(records: Records, session: Session, row: ExportRow) -> list[CameraId]:
    """Return the cameras with footage that the person has not looked at for this export. It only grows shorter."""
    with wrapped_errors():
        rows = await records.pool.fetch(sql.load(_PACKAGE, "preview_unseen"), row.export_id, session.staff_id)
    return [CameraId(each["camera_id"]) for each in rows]
