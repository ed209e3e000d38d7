"""What of the register a person sees: field by field, by their roles, where those reach the member."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import asyncpg

from api.records import Records
from api.sign_in.rights import Grant
from api.sign_in.scope import load_scope, visible_members
from api.sign_in.sessions import Session
from domain.ids import MemberId
from runtime import sql
from runtime.database import wrapped_errors
from storage.register import Field

Level = Literal["see", "change"]
CONSENTS: Final = "consents"
ROLES: Final = ("viewer", "exporter", "admin")
"""Those who may search members; auditors read the trail of looks instead."""
FIELDS: Final = (*(each.value for each in Field), CONSENTS)
"""All that rights are set for, in the order of the pages."""
_PACKAGE: Final = "api.register"
Rights = Mapping[str, Mapping[str, Level]]
"""By role and field; what is missing is not seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How far one person sees one member."""

    by_field: Mapping[str, Level]

    def sees(self, field: str) -> bool:
        """Whether the field is shown."""
        return field in self.by_field

    def changes(self, field: str) -> bool:
        """Whether the field may be changed."""
        return self.by_field.get(field) == "change"

    @property
    def fields(self) -> list[Field]:
        """The fields of the register that are shown."""
        return [each for each in Field if each in self.by_field]


async def load_rights(conn: asyncpg.Pool | asyncpg.Connection) -> Rights:
    """The rights as the operator set them. The errors of runtime.database."""
    with wrapped_errors():
        rows = await conn.fetch(sql.load(_PACKAGE, "rights"))
    found: dict[str, dict[str, Level]] = {role: {} for role in ROLES}
    for row in rows:
        found[row["role"]][row["field"]] = row["level"]
    return found


async def levels_for(records: Records, session: Session, member_id: MemberId) -> Levels:
    """What this session's person sees of a member: the most of each role whose grants reach the member."""
    rights = await load_rights(records.pool)
    found: list[str] = []
    for role in {grant.role for grant in session.grants if rights.get(grant.role)}:
        scope = await load_scope(records, session, (role,))
        if await visible_members(records, scope, [member_id]):
            found.append(role)
    return merged(rights, found)


def everywhere(rights: Rights, grants: Iterable[Grant]) -> Levels:
    """What grants without a limit show of any member, whether or not a door has ever seen them."""
    return merged(rights, {each.role for each in grants if each.site_id is None and each.camera_id is None})


def merged(rights: Rights, roles: Iterable[str]) -> Levels:
    """The most of each role."""
    by_field: dict[str, Level] = {}
    for role in roles:
        for field, level in rights.get(role, {}).items():
            if by_field.get(field) != "change":
                by_field[field] = level
    return Levels(by_field=by_field)


async def grants_of(records: Records, staff_id: UUID) -> tuple[Grant, ...] | None:
    """The grants of any member of staff; None when there is no such account."""
    with wrapped_errors():
        row = await records.pool.fetchrow(sql.load(_PACKAGE, "grants_of"), staff_id)
    if row is None:
        return None
    return tuple(
        Grant(role=role, site_id=site and UUID(site), camera_id=camera and UUID(camera))
        for role, site, camera in json.loads(row["grants"])
    )
