"""Commands of the staff's client against a served API with a custodian, as either of two people."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from api.credentials.accounts import create_staff
from runtime.database import connect
from tests.conftest import Database
from tests.integration.api.conftest import PASSWORD
from tests.integration.api.gym import open_gym
from tests.integration.api.test_role import serving, settings_for
from tests.support.footage.custodian import custodian, custodian_settings


@dataclass(frozen=True, slots=True)
class Commands:
    """``tallenne COMMAND``, signed in with a password and a recovery code each time."""

    command: str
    server: tuple[str, ...]
    codes: dict[str, Iterator[str]]

    async def run(self, name: str, *words: str) -> tuple[int, str]:
        """Run it as anna or berit; exit code and output."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pipeline.cli", self.command, *words, *self.server),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                **os.environ,
                "TALLENNE_USER": name,
                "TALLENNE_PASSWORD": PASSWORD,
                "TALLENNE_CODE": next(self.codes[name]),
            },
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()


@asynccontextmanager
async def commands_of_two(
    database: Database, directory: Path, command: str, *, grant: str, reason: str
) -> AsyncIterator[Commands]:
    """Anna and Berit, both with this grant, beside a served API of a made-up gym."""
    settings = settings_for(database.serve, directory)
    owner = await connect(database.owner)
    await open_gym(owner, time.time_ns())
    staff = {
        name: await create_staff(
            owner,
            user_name=name,
            display_name=name.title(),
            password=PASSWORD,
            grants=(grant,),
            secret_directory=settings.secret_directory,
        )
        for name in ("anna", "berit")
    }
    await owner.close()
    codes = {name: iter(each.recovery_codes) for name, each in staff.items()}
    async with custodian(custodian_settings(database.custodian, directory)), serving(settings) as status:
        certificate = str(settings.secret_directory / "tls-cert.pem")
        server = ("--server", status["address"], "--ca", certificate, "--reason", reason)
        yield Commands(command, server, codes)
