"""What is asked and answered about cases, and how rows become answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.cases.rows import CaseRow
from api.http.texts import SOME_TEXT, TEXT
from api.http.times import Instant
from api.sign_in.scope import Scope
from domain.ids import CameraId, StaffId
from domain.time import Span, to_iso

CAMERAS_MAX: Final = 16

Title = Annotated[str, Field(min_length=1, max_length=200, pattern=SOME_TEXT)]
Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=SOME_TEXT)]


class CaseBody(BaseModel):
    """What a case is opened for. `review`: when a person looks whether it is still needed; at most a year ahead."""

    model_config = ConfigDict(extra="forbid")
    title: Title
    reason: Text
    review: Instant


class HoldBody(BaseModel):
    """Footage to keep: the span [start, end), a day at most, of each camera.

    A `restriction` also keeps it from being shown and exported until the case ends (GDPR 18).
    """

    model_config = ConfigDict(extra="forbid")
    kind: Literal["hold", "restriction"] = "hold"
    camera_ids: Annotated[list[UUID], Field(min_length=1, max_length=CAMERAS_MAX)]
    start: Instant
    end: Instant


class EntryBody(BaseModel):
    """A note; with a camera and a span it marks a clip."""

    model_config = ConfigDict(extra="forbid")
    note: Annotated[str, Field(max_length=4000, pattern=TEXT)] = ""
    camera_id: UUID | None = None
    start: Instant | None = None
    end: Instant | None = None


class ReviewBody(BaseModel):
    """The next date of review."""

    model_config = ConfigDict(extra="forbid")
    review: Instant


class CaseAnswer(BaseModel):
    """A case in the list."""

    case_id: UUID
    number: str
    title: str
    reason: str
    state: str = Field(description="open, closing (a colleague is to end it) or closed.")
    opened_by: str
    opened: str
    review: str
    review_due: bool
    holds: int
    closing_by: str | None
    closed_by: str | None
    closed: str | None
    may_end: bool = Field(description="A colleague has asked for the end, and this person may give the second word.")


class HoldAnswer(BaseModel):
    """A hold of a case. `ended` is null while it is in force."""

    hold_id: UUID
    kind: str
    camera_id: UUID
    camera: str
    start: str
    end: str
    time_zone: str
    placed_by: str
    placed: str
    ended: str | None


class EntryAnswer(BaseModel):
    """A note, or a clip with its camera and span."""

    kind: str
    note: str
    added_by: str
    added: str
    camera_id: UUID | None
    camera: str | None
    start: str | None
    end: str | None
    time_zone: str | None


class WholeCase(CaseAnswer):
    """A case with all that belongs to it."""

    in_force: list[HoldAnswer]
    entries: list[EntryAnswer]


class HeldAnswer(BaseModel):
    """How many stored segments the new holds keep. What is still being recorded of the span is kept as it comes."""

    segments: int


class EndedAnswer(BaseModel):
    """How many segments expired by the end of the case; others live until their retention is over."""

    segments_expired: int


def whole(
    row: CaseRow,
    holds: Sequence[Mapping[str, Any]],
    entries: Sequence[Mapping[str, Any]],
    scope: Scope,
    staff_id: StaffId,
    now_ns: int,
) -> WholeCase:
    """The answer about one case, for this person."""
    return WholeCase(
        **said(row, staff_id, now_ns),
        in_force=[_hold(each, scope) for each in holds],
        entries=[_entry(each, scope) for each in entries],
    )


def said(row: CaseRow, staff_id: StaffId, now_ns: int) -> dict[str, Any]:
    """The fields of ``CaseAnswer``, for this person."""
    return {
        "case_id": row.case_id,
        "number": row.number,
        "title": row.title,
        "reason": row.reason,
        "state": row.state,
        "opened_by": row.opener,
        "opened": to_iso(row.opened_ns),
        "review": to_iso(row.review_ns),
        "review_due": row.state != "closed" and row.review_ns <= now_ns,
        "holds": row.holds,
        "closing_by": row.closer,
        "closed_by": row.second,
        "closed": None if row.closed_ns is None else to_iso(row.closed_ns),
        "may_end": row.state == "closing" and row.closing_by != staff_id,
    }


def _hold(row: Mapping[str, Any], scope: Scope) -> HoldAnswer:
    return HoldAnswer(
        hold_id=row["hold_id"],
        kind=row["kind"],
        placed_by=row["display_name"],
        placed=to_iso(row["placed_ns"]),
        ended=None if row["ended_ns"] is None else to_iso(row["ended_ns"]),
        **_where(scope, row["camera_id"], Span(row["start_ns"], row["end_ns"])),
    )


def _entry(row: Mapping[str, Any], scope: Scope) -> EntryAnswer:
    where: dict[str, Any] = dict.fromkeys(("camera_id", "camera", "start", "end", "time_zone"))
    if row["camera_id"] is not None:
        where = _where(scope, row["camera_id"], Span(row["start_ns"], row["end_ns"]))
    return EntryAnswer(
        kind=row["kind"], note=row["note"], added_by=row["display_name"], added=to_iso(row["added_ns"]), **where
    )


def _where(scope: Scope, camera_id: UUID, span: Span) -> dict[str, Any]:
    camera = scope.cameras.get(CameraId(camera_id))
    return {
        "camera_id": camera_id,
        "camera": camera.name if camera else "–",
        "start": to_iso(span.start_ns),
        "end": to_iso(span.end_ns),
        "time_zone": scope.zone_of(camera.site_id) if camera else "UTC",
    }
