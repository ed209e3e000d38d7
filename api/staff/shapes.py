"""Request and answer shapes of the routes about staff."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from uuid import UUID

import segno
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from api.credentials.accounts import CreatedStaff, NewGrant
from domain.ids import CameraId, SiteId
from domain.time import to_iso

_STRICT = ConfigDict(extra="forbid")
Role = Literal["viewer", "exporter", "admin", "auditor"]
Password = Annotated[SecretStr, Field(max_length=256)]


class GrantBody(BaseModel):
    """A role at a site or camera; neither: everywhere."""

    model_config = _STRICT
    role: Role
    site_id: UUID | None = None
    camera_id: UUID | None = None

    def grant(self) -> NewGrant:
        """Return the grant as credentials.accounts takes it."""
        return NewGrant(
            role=self.role,
            site_id=None if self.site_id is None else SiteId(self.site_id),
            camera_id=None if self.camera_id is None else CameraId(self.camera_id),
        )


class StaffBody(BaseModel):
    """A new member of staff."""

    model_config = _STRICT
    user_name: Annotated[str, StringConstraints(max_length=64)]
    display_name: Annotated[str, StringConstraints(max_length=100)]
    password: Password
    grants: Annotated[list[GrantBody], Field(max_length=100)]


class GrantsBody(BaseModel):
    """The grants that replace a person's present ones."""

    model_config = _STRICT
    grants: Annotated[list[GrantBody], Field(max_length=100)]


class DisableBody(BaseModel):
    """Whether a person may sign in."""

    model_config = _STRICT
    disabled: bool


class PasswordBody(BaseModel):
    """A new password that an administrator sets."""

    model_config = _STRICT
    password: Password


class OwnPasswordBody(BaseModel):
    """One's own password and the one that replaces it."""

    model_config = _STRICT
    current: Password
    password: Password


class QrAnswer(BaseModel):
    """A square of ``size`` modules, the quiet zone included; ``path``: an SVG path of the dark ones."""

    size: int
    path: str


class FactorAnswer(BaseModel):
    """A second factor, shown once and handed to the person. It is not stored in the clear."""

    staff_id: UUID
    secret: str
    uri: str
    qr: QrAnswer
    recovery_codes: list[str]


class CodesAnswer(BaseModel):
    """Recovery codes, shown once."""

    recovery_codes: list[str]


class StaffAnswer(BaseModel):
    """A member of staff; no secrets."""

    staff_id: UUID
    user_name: str
    display_name: str
    disabled: bool
    created: str
    made_by: str | None = Field(description="The administrator who made the account; null: it was made on the machine.")
    grants: list[GrantBody]
    signed_in: str | None = Field(description="When last.")
    sessions: int = Field(description="Signed in now, so many times.")
    recovery_codes: int = Field(description="Left.")


def staff_answer(row: Any) -> StaffAnswer:
    """Return a row of staff_list as an answer."""
    return StaffAnswer(
        staff_id=row["staff_id"],
        user_name=row["user_name"],
        display_name=row["display_name"],
        disabled=row["disabled"],
        created=to_iso(row["created_ns"]),
        made_by=row["made_by"],
        grants=[
            GrantBody(role=role, site_id=site_id, camera_id=camera_id)
            for role, site_id, camera_id in json.loads(row["grants"])
        ],
        signed_in=None if row["signed_in_ns"] is None else to_iso(row["signed_in_ns"]),
        sessions=row["sessions"],
        recovery_codes=row["codes"],
    )


def factor_answer(made: CreatedStaff) -> FactorAnswer:
    """Return a new second factor; it is shown once."""
    return FactorAnswer(
        staff_id=made.staff_id,
        secret=made.totp_secret,
        uri=made.otpauth_uri,
        qr=qr(made.otpauth_uri),
        recovery_codes=list(made.recovery_codes),
    )


def qr(text: str) -> QrAnswer:
    """Drawn by the page itself: an address that shows a secret again would be one more place to keep it from."""
    rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
    dark = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module]
    return QrAnswer(size=len(rows), path="".join(dark))
