"""The demo's sign-in: an account that may see everything, with its own password and second factor."""

from __future__ import annotations

import asyncio
import io
import json
import time
from dataclasses import dataclass, field

import asyncpg
import pyotp
import segno

from api.credentials.accounts import create_staff
from api.errors import StaffExistsError
from pipeline.client import ApiRefusedError, StaffClient
from pipeline.config.roles import RoleSettings
from pipeline.demo.gym import STAFF_USER
from pipeline.installation import Installation
from pipeline.output import say
from pipeline.secret_files import read_secret, secret
from runtime.database import connect
from runtime.private_files import write_private


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    user_name: str
    display_name: str
    roles: tuple[str, ...]
    password_file: str
    totp_file: str


_ACCOUNTS = (
    _Account(
        user_name=STAFF_USER,
        display_name="Demo",
        roles=("exporter", "admin", "auditor"),
        password_file="demo-staff.secret",
        totp_file="demo-staff-totp.secret",
    ),
    _Account(
        user_name="colleague",
        display_name="Colleague",
        roles=("exporter",),
        password_file="demo-colleague.secret",
        totp_file="demo-colleague-totp.secret",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """The credentials that a person or the smoke check enters."""

    user_name: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)

    otpauth_uri: str = field(repr=False)

    def code(self, ahead: int = 0) -> str:
        """The one-time code of this half minute, or of one that follows."""
        return str(pyotp.TOTP(self.totp_secret).at(int(time.time()), counter_offset=ahead))

    def qr_code(self) -> str:
        """For an authenticator app, in half blocks, dark on light."""
        out = io.StringIO()
        segno.make(self.otpauth_uri, micro=False).terminal(out, border=2, compact=True)
        return out.getvalue()

    async def sign_in(self, client: StaffClient) -> None:
        """Return an unused code. A second sign-in within half a minute waits for the next one."""
        try:
            await client.sign_in(self.user_name, self.password, self.code())
        except ApiRefusedError:
            say("The one-time code was used already: waiting for the next one.", error=True)
            await asyncio.sleep(30 - time.time() % 30 + 0.5)
            await client.sign_in(self.user_name, self.password, self.code())


async def ensure_demo_staff(settings: RoleSettings, installation: Installation) -> None:
    """Make the accounts if they are not there: one to work with, and a colleague who approves what it exports."""
    conn = await connect(settings.database("owner"))
    try:
        for account in _ACCOUNTS:
            await _ensure(conn, installation, account)
    finally:
        await conn.close()


async def _ensure(conn: asyncpg.Connection, installation: Installation, account: _Account) -> None:
    try:
        made = await create_staff(
            conn,
            user_name=account.user_name,
            display_name=account.display_name,
            password=secret(installation.secrets / account.password_file),
            grants=account.roles,
            secret_directory=installation.root / "serve",
        )
    except StaffExistsError:
        return
    path = installation.secrets / account.totp_file
    write_private(path, json.dumps({"secret": made.totp_secret, "uri": made.otpauth_uri}).encode())


def demo_account(installation: Installation, *, colleague: bool = False) -> DemoAccount:
    """SetupError when there is none yet."""
    account = _ACCOUNTS[colleague]
    factor = json.loads(read_secret(installation.secrets / account.totp_file))
    return DemoAccount(
        user_name=account.user_name,
        password=read_secret(installation.secrets / account.password_file),
        totp_secret=factor["secret"],
        otpauth_uri=factor["uri"],
    )
