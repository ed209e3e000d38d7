"""What is asked and answered about bookmarks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.bookmarks.rows import BookmarkRow
from api.http.times import Instant
from api.sign_in.scope import Scope
from domain.ids import StaffId
from domain.time import to_iso

NOTE_MAX: Final = 1000


class BookmarkBody(BaseModel):
    """A moment of a camera's footage, and what there is to say about it, if anything."""

    model_config = ConfigDict(extra="forbid")
    camera_id: UUID
    at: Instant
    note: Annotated[str, Field(max_length=NOTE_MAX)] = ""


class FileBody(BaseModel):
    """A bookmark that a case lists from now on."""

    model_config = ConfigDict(extra="forbid")
    bookmark_id: UUID


class BookmarkAnswer(BaseModel):
    """A bookmark. It ends with the footage of its moment."""

    bookmark_id: UUID
    camera_id: UUID
    camera: str
    time_zone: str
    at: str
    note: str
    by: str
    added: str
    mine: bool = Field(description="This person added it, and may remove it.")
    in_case: bool


def bookmark_answers(bookmarks: Iterable[BookmarkRow], scope: Scope, staff_id: StaffId) -> list[BookmarkAnswer]:
    """Return the answers for a person. KeyError: a camera is not in the scope."""
    return [
        BookmarkAnswer(
            bookmark_id=each.bookmark_id,
            camera_id=each.camera_id,
            camera=scope.cameras[each.camera_id].name,
            time_zone=scope.zone_of(scope.cameras[each.camera_id].site_id),
            at=to_iso(each.at_ns),
            note=each.note,
            by=each.display_name,
            added=to_iso(each.added_ns),
            mine=each.staff_id == staff_id,
            in_case=each.case_id is not None,
        )
        for each in bookmarks
    ]
