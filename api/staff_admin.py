"""Making staff: the first administrator and the demo's account, from the command on the machine."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg

from api import audit, second_factor
from api.errors import StaffExistsError, StaffRefusedError
from api.own_key import load_own_key
from api.passwords import Passwords, check_new
from domain.ids import CameraId, SiteId, StaffId
from storage import sql
from storage.database import wrapped_errors

ROLES: Final = ("viewer", "exporter", "admin", "auditor")
_USER_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """One role, at one site or camera; None: at all of them."""

    role: str
    site_id: SiteId | None = None
    camera_id: CameraId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedStaff:
    """Shown once, to the person it is for; only sealed and hashed forms are kept."""

    staff_id: StaffId
    totp_secret: str = field(repr=False)
    otpauth_uri: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(repr=False)


async def create_staff(
    conn: asyncpg.Connection,
    *,
    user_name: str,
    display_name: str,
    password: str,
    grants: Sequence[NewGrant | str],
    secret_directory: Path,
    actor: str = "operator",
) -> CreatedStaff:
    """Add somebody with a second factor, on record; ``conn`` is the owner's or the serve role's.

    A grant given as a mere role name counts everywhere. StaffExistsError, StaffRefusedError, KeyFileError.
    """
    name = user_name.strip().lower()
    wanted = [NewGrant(role=grant) if isinstance(grant, str) else grant for grant in grants]
    _check(name, display_name, password, wanted)
    key = load_own_key(secret_directory)
    staff_id, totp_secret, codes = (
        StaffId(uuid.uuid4()),
        second_factor.new_totp_secret(),
        second_factor.new_recovery_codes(),
    )
    password_hash = await Passwords().hash(password)
    sealed = key.seal_totp(staff_id, totp_secret)
    hashes = [key.hash_code(staff_id, second_factor.normal_code(code)) for code in codes]
    now_ns = time.time_ns()
    with wrapped_errors():
        async with conn.transaction():
            query = sql.load("api", "staff_add")
            if not await conn.fetchval(query, staff_id, name, display_name.strip(), password_hash, sealed, now_ns):
                raise StaffExistsError(f"There is a user {name!r} already.", "Choose another user name.")
            await conn.execute(sql.load("api", "recovery_codes_add"), staff_id, hashes)
            await conn.executemany(
                sql.load("api", "grant_add"),
                [(uuid.uuid4(), staff_id, grant.role, grant.site_id, grant.camera_id) for grant in wanted],
            )
            detail = {"staff_id": str(staff_id), "roles": sorted({grant.role for grant in wanted})}
            await audit.append_in(conn, audit.Entry(actor=actor, action="staff_created", detail=detail), now_ns)
    return CreatedStaff(
        staff_id=staff_id,
        totp_secret=totp_secret,
        otpauth_uri=second_factor.otpauth_uri(totp_secret, name),
        recovery_codes=codes,
    )


def _check(name: str, display_name: str, password: str, grants: Sequence[NewGrant]) -> None:
    if not _USER_NAME.fullmatch(name):
        raise StaffRefusedError(
            "A user name is 1 to 64 of a-z, 0-9 and . _ @ + -.", "An e-mail address serves, in small letters."
        )
    if not 1 <= len(display_name.strip()) <= 100 or not display_name.isprintable():
        raise StaffRefusedError("A display name has 1 to 100 printable characters.")
    if unknown := {grant.role for grant in grants} - set(ROLES):
        raise StaffRefusedError(f"There is no role {', '.join(sorted(unknown))}.", f"Roles: {', '.join(ROLES)}.")
    check_new(password, name)
