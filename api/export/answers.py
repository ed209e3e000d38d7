"""What the routes about exports take and answer, and how one person sees a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.export.rows import ExportRow
from api.http.jobs import Progress
from api.http.texts import LINE
from api.http.times import Instant
from api.sign_in.scope import Scope
from domain.ids import StaffId
from domain.time import to_iso

CAMERAS_MAX: Final = 16


class ExportBody(BaseModel):
    """The cameras and the span [start, end) to export."""

    model_config = ConfigDict(extra="forbid")
    camera_ids: Annotated[list[UUID], Field(min_length=1, max_length=CAMERAS_MAX)]
    start: Instant
    end: Instant
    format: Literal["zip", "mp4"] = Field("zip", description="`mp4`: of one camera, the manifest apart.")
    masked: bool = Field(
        False, description="Mask everyone: faces, persons and what moves, by programs alone. 15 minutes in all at most."
    )


class ApproveBody(BaseModel):
    """What the approver was shown."""

    model_config = ConfigDict(extra="forbid")
    minor: bool = Field(False, description="The export's `minor`: the approver knows of a minor's credential.")


class RefuseBody(BaseModel):
    """Why the export is refused: the asker reads it."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=LINE)]


class ExportCamera(BaseModel):
    """A camera of an export."""

    camera_id: UUID
    name: str


class ExportedFileAnswer(BaseModel):
    """A finished file of an export; `start` and `end` are its true span."""

    name: str
    camera: str
    start: str
    end: str
    size_bytes: int
    sha256: str


class ExportAnswer(BaseModel):
    """An export and its progress in bytes."""

    export_id: UUID
    state: str = Field(
        description="approval, approved, working, interrupted, ready, failed; refused, cancelled, or lapsed: some of"
        " its footage has ended while it waited."
    )
    problem: str | None
    done_bytes: int
    total_bytes: int
    cameras: list[ExportCamera]
    start: str
    end: str
    time_zone: str
    format: str
    masked: bool = Field(description="Everyone in the copy is masked. What the approver sees is not.")
    minor: bool = Field(description="A minor's credential was used: the approver should know.")
    own: bool
    one_hand: bool = Field(description="Its asker's account and one's own count as one person: no approval by either.")
    may_approve: bool = Field(description="Or refuse.")
    may_cancel: bool
    asked_by: str
    approved_by: str | None
    ended_by: str | None = Field(description="Who refused or cancelled it.")
    ended: str | None
    refusal: str | None = Field(description="Why it was refused.")
    purpose: str
    reason: str
    created: str
    files: list[ExportedFileAnswer]
    key_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One person's view of exports: their cameras, the accounts in one hand with theirs, and what is being made now."""

    staff_id: StaffId
    scope: Scope
    one_hand: frozenset[StaffId]
    at_work: Mapping[UUID, Progress]  # read before the rows are
    key_sha256: str

    def concerns(self, row: ExportRow) -> bool:
        """One's own, or one that one may approve: all of its cameras are in sight."""
        return row.staff_id == self.staff_id or all(camera_id in self.scope.cameras for camera_id in row.camera_ids)

    def answer(self, row: ExportRow) -> ExportAnswer:
        """Describe an export to this person."""
        scope, progress = self.scope, self.at_work.get(row.export_id)
        own, one_hand = row.staff_id == self.staff_id, row.staff_id in self.one_hand
        state = "interrupted" if row.state == "working" and progress is None else row.state
        sites = {scope.cameras[each].site_id for each in row.camera_ids if each in scope.cameras}
        return ExportAnswer(
            export_id=row.export_id,
            state=state,
            problem=row.problem,
            done_bytes=progress.done if progress else 0,
            total_bytes=progress.total if progress else 0,
            cameras=[
                ExportCamera(camera_id=each, name=scope.cameras[each].name if each in scope.cameras else "–")
                for each in row.camera_ids
            ],
            start=to_iso(row.span.start_ns),
            end=to_iso(row.span.end_ns),
            time_zone=scope.zone_of(min(sites)) if sites else "UTC",
            format=row.format,
            masked=row.masked,
            minor=row.minor,
            own=own,
            one_hand=one_hand,
            may_approve=not own and not one_hand and row.state == "approval",
            may_cancel=own and row.state == "approval",
            asked_by=row.display_name,
            approved_by=row.approver,
            ended_by=row.ender,
            ended=None if row.ended_ns is None else to_iso(row.ended_ns),
            refusal=row.refusal,
            purpose=row.category,
            reason=row.reason,
            created=to_iso(row.created_ns),
            files=_files(row) if state == "ready" else [],
            key_sha256=self.key_sha256,
        )


def _files(row: ExportRow) -> list[ExportedFileAnswer]:
    if row.manifest is None:
        return []
    wanted = set(ExportedFileAnswer.model_fields)
    said = json.loads(row.manifest)["files"]
    return [ExportedFileAnswer(**{name: value for name, value in file.items() if name in wanted}) for file in said]
