"""What is asked and answered about members' requests."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.http.texts import SOME_TEXT, TEXT
from api.http.times import Instant
from api.requests.rows import RequestRow
from domain.time import to_iso

_STRICT = ConfigDict(extra="forbid")
Kind = Literal["access", "portability", "rectification", "erasure", "restriction", "objection"]
COPIES: Final = ("access", "portability")
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000, pattern=SOME_TEXT)]


class RequestBody(BaseModel):
    """A request that came by letter, by e-mail or at the desk; `received`: when it came, now if it is not given."""

    model_config = _STRICT
    member_id: UUID
    kind: Kind
    channel: Literal["letter", "email", "desk"]
    details: Annotated[str, StringConstraints(max_length=4000, pattern=TEXT)] = ""
    received: Instant | None = None


class WordsBody(BaseModel):
    """How it was checked who asks, why it takes longer, or the answer to the member."""

    model_config = _STRICT
    text: Words


class RequestAnswer(BaseModel):
    """A request. `name` and `number` null: the person has been erased. `late`: it is open, and its day is over."""

    request_id: UUID
    member_id: UUID
    number: str | None
    name: str | None
    kind: str
    channel: str
    state: str
    details: str
    received: str
    due: str = Field(description="The end of the last day.")
    days_left: int
    open: bool
    late: bool
    extension: str | None
    identity: str | None
    identity_at: str | None
    identity_by: str | None
    ended: str | None
    ended_by: str | None
    answer: str | None
    erased: str | None
    copy_offered: bool = Field(description="A copy of the member's data can be made.")


def request_answer(row: RequestRow, now_ns: int) -> RequestAnswer:
    """As JSON."""
    return RequestAnswer(
        request_id=row.request_id,
        member_id=row.member_id,
        number=row.number,
        name=row.name,
        kind=row.kind,
        channel=row.channel,
        state=row.state,
        details=row.details,
        received=to_iso(row.received_ns),
        due=to_iso(row.due_ns - 1),
        days_left=(row.due_ns - now_ns) // (86_400 * 1_000_000_000),
        open=row.ended_ns is None,
        late=row.ended_ns is None and row.due_ns <= now_ns,
        extension=row.extension,
        identity=row.identity,
        identity_at=None if row.identity_ns is None else to_iso(row.identity_ns),
        identity_by=row.identity_by,
        ended=None if row.ended_ns is None else to_iso(row.ended_ns),
        ended_by=row.ended_by,
        answer=row.answer,
        erased=None if row.erased_ns is None else to_iso(row.erased_ns),
        copy_offered=row.state == "checked" and row.kind in COPIES and row.name is not None,
    )
