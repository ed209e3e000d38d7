"""What is asked and answered about the register."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.http.texts import LINE, SOME_TEXT, TEXT
from domain.time import to_iso
from storage.register import Consent, Value
from storage.register import Field as Name

_STRICT = ConfigDict(extra="forbid")
FieldText = Annotated[str, StringConstraints(max_length=1000, pattern=TEXT)]
Number = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=LINE)]


class ChangeBody(BaseModel):
    """New values; an empty one removes what stands there. Fields that are not named stay as they are."""

    model_config = _STRICT
    fields: Annotated[dict[Name, FieldText], Field(min_length=1, max_length=len(Name))]


class NewMemberBody(ChangeBody):
    """A member who is not in the register yet. The name must be among the fields."""

    number: Number


class ConsentBody(BaseModel):
    """To what the member consented, in the words that they read, and how they said so."""

    model_config = _STRICT
    purpose: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=SOME_TEXT)]
    how: Literal["desk", "paper", "outside"]


class WithdrawBody(BaseModel):
    """How the member withdrew."""

    model_config = _STRICT
    how: Literal["desk", "paper", "outside"]


class FieldAnswer(BaseModel):
    """A field that one may see. `source`: member, staff, import or outside; `by`: the staff who entered it."""

    field: str
    value: str
    source: str | None
    by: str | None
    since: str | None
    may_change: bool


class ConsentAnswer(BaseModel):
    """A consent; `withdrawn` null: it holds."""

    consent_id: UUID
    purpose: str
    how: str
    given: str
    recorded_by: str | None
    withdrawn: str | None


class CardAnswer(BaseModel):
    """What one may see of a member. `consents` null: not shown to one's roles."""

    member_id: UUID
    number: str
    name: str
    minor: bool
    fields: list[FieldAnswer]
    consents: list[ConsentAnswer] | None
    may_change_consents: bool


class VersionAnswer(BaseModel):
    """What stood in a field; `until` null: it stands there. An empty value: the field was emptied."""

    field: str
    value: str
    source: str
    by: str | None
    since: str
    until: str | None


class RightsBody(BaseModel):
    """By role and field: `see` or `change`. What is not named is not seen."""

    model_config = _STRICT
    rights: dict[
        Literal["viewer", "exporter", "admin"],
        dict[Annotated[str, StringConstraints(max_length=40)], Literal["see", "change"]],
    ]


class RightsAnswer(BaseModel):
    """The rights, and the fields that they can name, in order."""

    fields: list[str]
    rights: dict[str, dict[str, Literal["see", "change"]]]


class SeesAnswer(BaseModel):
    """What one of the staff sees. `members`: `all`, `at_their_doors` (those who have been there), or `none`."""

    staff_id: UUID
    members: str
    fields: dict[str, Literal["see", "change"]]
    cameras: list[str]
    doors: list[str]


def consent_answer(consent: Consent) -> ConsentAnswer:
    """As JSON."""
    return ConsentAnswer(
        consent_id=consent.consent_id,
        purpose=consent.purpose,
        how=consent.how,
        given=to_iso(consent.given_ns),
        recorded_by=consent.recorded_by,
        withdrawn=None if consent.withdrawn_ns is None else to_iso(consent.withdrawn_ns),
    )


def version_answer(value: Value) -> VersionAnswer:
    """As JSON."""
    return VersionAnswer(
        field=value.field,
        value=value.value,
        source=value.source,
        by=value.staff_name,
        since=to_iso(value.from_ns),
        until=None if value.to_ns is None else to_iso(value.to_ns),
    )


def field_answer(name: Name, value: Value | None, *, text: str | None = None, may_change: bool) -> FieldAnswer:
    """As JSON. ``text``: the value itself, where it stands elsewhere."""
    return FieldAnswer(
        field=name,
        value=text if text is not None else "" if value is None else value.value,
        source=None if value is None else value.source,
        by=None if value is None else value.staff_name,
        since=None if value is None else to_iso(value.from_ns),
        may_change=may_change,
    )
