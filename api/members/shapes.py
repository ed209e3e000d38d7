"""What members ask and are answered."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from api.audit.disclosed import LookAnswer
from api.http.texts import LINE, SOME_TEXT, TEXT
from api.requests.rows import RequestRow
from api.requests.shapes import Kind
from domain.time import to_iso
from storage.register import Consent, Value
from storage.register import Field as Name

_STRICT = ConfigDict(extra="forbid")
Email = Annotated[str, StringConstraints(min_length=1, max_length=254, pattern=LINE)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]
Code = Annotated[SecretStr, Field(max_length=20, description="Eight digits; blanks do not count.")]
FieldText = Annotated[str, StringConstraints(max_length=1000, pattern=TEXT)]


class EmailBody(BaseModel):
    """An address of e-mail."""

    model_config = _STRICT
    email: Email


class CodeBody(BaseModel):
    """A code, in the browser that asked for it."""

    model_config = _STRICT
    request: Token
    code: Code


class NewEmailBody(CodeBody):
    """The address that the member wants to have, and the code that went there."""

    email: Email


class ChangeBody(BaseModel):
    """New values; an empty one removes what stands there. Fields that are not named stay as they are."""

    model_config = _STRICT
    fields: Annotated[dict[Name, FieldText], Field(min_length=1, max_length=len(Name))]


class GiveBody(BaseModel):
    """One of the consents that are offered, word for word."""

    model_config = _STRICT
    purpose: Annotated[str, StringConstraints(max_length=500, pattern=SOME_TEXT)]


class WithdrawBody(BaseModel):
    """Nothing is asked."""

    model_config = _STRICT


class SignOutBody(BaseModel):
    """`everywhere` ends the member's sessions in all browsers."""

    model_config = _STRICT
    everywhere: bool = False


class AskedAnswer(BaseModel):
    """A code is on its way if the address is known. `request` goes back with the code."""

    request: str
    seconds: int = Field(description="For how long the code is good.")


class SessionAnswer(BaseModel):
    """Signed in, until when."""

    csrf_token: str = Field(description="To be sent as X-CSRF-Token with every POST and PUT.")
    expires: str
    idle_seconds: int


class FieldAnswer(BaseModel):
    """What stands in a field. `source`: member, staff, import or outside. `may_change`: by the member."""

    field: str
    value: str
    source: str | None
    since: str | None
    may_change: bool


class ConsentAnswer(BaseModel):
    """A consent; `withdrawn` null: it holds."""

    consent_id: UUID
    purpose: str
    how: str
    given: str
    withdrawn: str | None


class CardAnswer(BaseModel):
    """What the register has of the member. `offered`: what they may consent to and have not."""

    number: str
    name: str
    fields: list[FieldAnswer]
    consents: list[ConsentAnswer]
    offered: list[str]


class VersionAnswer(BaseModel):
    """What stood in a field; `until` null: it stands there. An empty value: the field was emptied."""

    field: str
    value: str
    source: str
    since: str
    until: str | None


class VisitAnswer(BaseModel):
    """The member's credential opened `door` at `start`; `end` null: no door reports the way out."""

    site: str
    time_zone: str
    start: str
    door: str
    end: str | None
    end_door: str | None


class VisitsAnswer(BaseModel):
    """Visits of a month or so, the newest first. `earlier`: whether there is anything before `start`."""

    start: str
    end: str
    visits: list[VisitAnswer]
    earlier: bool


class LooksAnswer(BaseModel):
    """When and why staff looked, the newest first; `next` continues the list."""

    looks: list[LookAnswer]
    next: int | None


class AskBody(BaseModel):
    """What the member asks for, and what there is to say about it."""

    model_config = _STRICT
    kind: Kind
    details: Annotated[str, StringConstraints(max_length=4000, pattern=TEXT)] = ""


class OwnRequestAnswer(BaseModel):
    """A request of the member's. `answer`: what the gym answered, once it has."""

    request_id: UUID
    kind: str
    state: str
    open: bool
    details: str
    received: str
    due: str
    extension: str | None
    answer: str | None


def own_request_answer(row: RequestRow) -> OwnRequestAnswer:
    """As JSON; not who of the staff answered."""
    return OwnRequestAnswer(
        request_id=row.request_id,
        kind=row.kind,
        state=row.state,
        open=row.ended_ns is None,
        details=row.details,
        received=to_iso(row.received_ns),
        due=to_iso(row.due_ns - 1),
        extension=row.extension,
        answer=row.answer,
    )


def field_answer(name: Name, value: Value | None, *, text: str | None = None, may_change: bool) -> FieldAnswer:
    """As JSON. ``text``: the value itself, where it stands elsewhere."""
    return FieldAnswer(
        field=name,
        value=text if text is not None else "" if value is None else value.value,
        source=None if value is None else value.source,
        since=None if value is None else to_iso(value.from_ns),
        may_change=may_change,
    )


def version_answer(value: Value) -> VersionAnswer:
    """As JSON; not who of the staff entered it."""
    return VersionAnswer(
        field=value.field,
        value=value.value,
        source=value.source,
        since=to_iso(value.from_ns),
        until=None if value.to_ns is None else to_iso(value.to_ns),
    )


def consent_answer(consent: Consent) -> ConsentAnswer:
    """As JSON; not who of the staff recorded it."""
    return ConsentAnswer(
        consent_id=consent.consent_id,
        purpose=consent.purpose,
        how=consent.how,
        given=to_iso(consent.given_ns),
        withdrawn=None if consent.withdrawn_ns is None else to_iso(consent.withdrawn_ns),
    )
