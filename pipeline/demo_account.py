"""The demo's sign-in: a member of staff who may see everything, with a password and a second factor of its own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

import pyotp

from api.errors import StaffExistsError
from api.staff_admin import create_staff
from pipeline.config.roles import RoleSettings
from pipeline.demo_gym import STAFF_USER
from pipeline.installation import Installation
from pipeline.secret_files import read_secret, secret
from storage.database import connect

_ROLES = ("exporter", "admin", "auditor")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """What a person, or the smoke check, types."""

    user_name: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)

    def code(self) -> str:
        """The one-time code of this half minute."""
        return pyotp.TOTP(self.totp_secret).now()


async def ensure_demo_staff(settings: RoleSettings, installation: Installation) -> None:
    """Make the account if it is not there."""
    password = secret(installation.secrets / "demo-staff.secret")
    conn = await connect(settings.database("owner"))
    try:
        made = await create_staff(
            conn,
            user_name=STAFF_USER,
            display_name="Demo",
            password=password,
            grants=_ROLES,
            secret_directory=installation.root / "serve",
        )
    except StaffExistsError:
        return
    finally:
        await conn.close()
    path = installation.secrets / "demo-staff-totp.secret"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(json.dumps({"secret": made.totp_secret, "uri": made.otpauth_uri}))


def demo_account(installation: Installation) -> DemoAccount:
    """SetupError when there is none yet."""
    kept = json.loads(read_secret(installation.secrets / "demo-staff-totp.secret"))
    return DemoAccount(
        user_name=STAFF_USER,
        password=read_secret(installation.secrets / "demo-staff.secret"),
        totp_secret=kept["secret"],
    )
