"""Creates accounts: for the command line (the first administrator, the demo) and for the routes."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import asyncpg

from api.credentials import second_factor
from api.credentials.passwords import Passwords, check_new
from api.credentials.secret_key import SecretKey, load_secret_key
from api.errors import StaffExistsError, StaffRefusedError
from domain.ids import CameraId, SiteId, StaffId
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit

ROLES: Final = ("viewer", "exporter", "admin", "auditor")
_USER_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """One role, at one site or camera; None: at all of them."""

    role: str
    site_id: SiteId | None = None
    camera_id: CameraId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """A new member of staff, before the account exists."""

    user_name: str
    display_name: str
    grants: tuple[NewGrant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedStaff:
    """Secrets of a new account, shown once to its owner; only sealed and hashed forms are kept."""

    staff_id: StaffId
    totp_secret: str = field(repr=False)
    otpauth_uri: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(repr=False)


async def anybody(conn: asyncpg.Connection) -> bool:
    """Whether there is an account to sign in with."""
    with wrapped_errors():
        return bool(await conn.fetchval(sql.load("api.credentials", "staff_exist")))


async def create_staff(
    conn: asyncpg.Connection,
    *,
    user_name: str,
    display_name: str,
    password: str,
    grants: Sequence[NewGrant | str],
    secret_directory: Path,
    actor: str = "operator",
    passwords: Passwords | None = None,
) -> CreatedStaff:
    """Add an account with a second factor, and its audit entry; ``conn`` is the owner's or the serve role's.

    A grant given as a mere role name counts everywhere. passwords: how they are hashed, the library's default if None.
    StaffExistsError, StaffRefusedError, PrivateFileError.
    """
    wanted = [NewGrant(role=grant) if isinstance(grant, str) else grant for grant in grants]
    new = NewStaff(user_name=user_name.strip().lower(), display_name=display_name.strip(), grants=tuple(wanted))
    check_staff(new, password)
    key = load_secret_key(secret_directory)
    password_hash = await (passwords or Passwords()).hash(password)
    with wrapped_errors():
        async with conn.transaction():
            return await add_staff(conn, key, new, password_hash, audit.Entry(actor=actor, action=""), time.time_ns())


async def add_staff(
    conn: asyncpg.Connection, key: SecretKey, new: NewStaff, password_hash: str, by: audit.Entry, now_ns: int
) -> CreatedStaff:
    """Add the account within the caller's transaction. ``by``: the acting person. StaffExistsError."""
    staff_id = StaffId(uuid.uuid4())
    factor = new_factor(key, staff_id, new.user_name)
    arguments = (staff_id, new.user_name, new.display_name, password_hash, factor.sealed, now_ns)
    if not await conn.fetchval(sql.load("api.credentials", "staff_add"), *arguments):
        raise StaffExistsError(f"There is a user {new.user_name!r} already.", "Choose another user name.")
    await conn.execute(sql.load("api.credentials", "recovery_codes_add"), staff_id, factor.hashes)
    await add_grants(conn, staff_id, new.grants)
    detail = {"staff_id": str(staff_id), "grants": said_grants(new.grants)}
    await audit.append_in(conn, replace(by, action="staff_created", detail=detail), now_ns)
    return factor.created


async def add_grants(conn: asyncpg.Connection, staff_id: StaffId, grants: Iterable[NewGrant]) -> None:
    """Add the grants within the caller's transaction."""
    await conn.executemany(
        sql.load("api.credentials", "grant_add"),
        [(uuid.uuid4(), staff_id, grant.role, grant.site_id, grant.camera_id) for grant in grants],
    )


def said_grants(grants: Iterable[NewGrant]) -> list[str]:
    """Return a grant as the audit trail shows it: ``viewer``, ``viewer site:<id>``, ``viewer camera:<id>``."""
    return sorted(
        " ".join(
            [grant.role]
            + ([f"site:{grant.site_id}"] if grant.site_id else [])
            + ([f"camera:{grant.camera_id}"] if grant.camera_id else [])
        )
        for grant in grants
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFactor:
    """A second factor and recovery codes, in stored form and as shown once."""

    sealed: bytes
    hashes: list[bytes]
    created: CreatedStaff


def new_factor(key: SecretKey, staff_id: StaffId, user_name: str) -> NewFactor:
    """Create both; nothing is stored yet."""
    secret, codes = second_factor.new_totp_secret(), second_factor.new_recovery_codes()
    return NewFactor(
        sealed=key.seal_totp(staff_id, secret),
        hashes=code_hashes(key, staff_id, codes),
        created=CreatedStaff(
            staff_id=staff_id,
            totp_secret=secret,
            otpauth_uri=second_factor.otpauth_uri(secret, user_name),
            recovery_codes=codes,
        ),
    )


def code_hashes(key: SecretKey, staff_id: StaffId, codes: Iterable[str]) -> list[bytes]:
    """Return the keyed hashes under which a person's recovery codes are stored."""
    return [key.hash_code(staff_id, second_factor.normal_code(code)) for code in codes]


def check_staff(new: NewStaff, password: str) -> None:
    """StaffRefusedError: a name or role is not acceptable."""
    if not _USER_NAME.fullmatch(new.user_name):
        raise StaffRefusedError(
            "A user name is 1 to 64 of a-z, 0-9 and . _ @ + -.", "An e-mail address in lower case is accepted."
        )
    if not 1 <= len(new.display_name) <= 100 or not new.display_name.isprintable():
        raise StaffRefusedError("A display name has 1 to 100 printable characters.")
    if unknown := {grant.role for grant in new.grants} - set(ROLES):
        raise StaffRefusedError(f"There is no role {', '.join(sorted(unknown))}.", f"Roles: {', '.join(ROLES)}.")
    check_new(password, new.user_name)
