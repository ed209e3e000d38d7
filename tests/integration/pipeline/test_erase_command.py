"""`tallenne erase` against a served API with a custodian: as two people of the staff would."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest

from api.credentials.accounts import create_staff
from runtime.database import connect
from tests.conftest import Database
from tests.integration.api.conftest import PASSWORD
from tests.integration.api.gym import open_gym
from tests.integration.api.test_role import serving, settings_for
from tests.support.footage.custodian import custodian, custodian_settings

pytestmark = pytest.mark.services


async def test_erasure_is_ordered_by_one_and_decided_by_another(database: Database, tmp_path: Path) -> None:
    settings = settings_for(database.serve, tmp_path)
    owner = await connect(database.owner)
    await open_gym(owner, time.time_ns())
    staff = {
        name: await create_staff(
            owner,
            user_name=name,
            display_name=name.title(),
            password=PASSWORD,
            grants=("admin",),
            secret_directory=settings.secret_directory,
        )
        for name in ("anna", "berit")
    }
    async with custodian(custodian_settings(database.custodian, tmp_path)), serving(settings) as status:
        codes = {name: iter(each.recovery_codes) for name, each in staff.items()}

        async def erase(name: str, *words: str) -> tuple[int, str]:
            """Exit code and output of the command."""
            server = ("--server", status["address"], "--ca", str(settings.secret_directory / "tls-cert.pem"))
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pipeline.cli", "erase", *words, *server, "--reason", "a member asks"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={
                    **os.environ,
                    "TALLENNE_USER": name,
                    "TALLENNE_PASSWORD": PASSWORD,
                    "TALLENNE_CODE": next(codes[name]),
                },
            )
            output, _ = await process.communicate()
            assert process.returncode is not None
            return process.returncode, output.decode()

        span = ("--start", "2026-11-22T06:00:00Z", "--end", "2026-11-22T07:00:00Z")
        code, output = await erase("anna", "span", "--camera", "Lobby", *span, "--json")
        assert code == 0, output
        order = json.loads(output)["erasure_id"]
        code, output = await erase("anna", "approve", order[:13], "--yes")
        assert code != 0
        assert "one hand" in output
        code, output = await erase("berit", "approve", order[:13])
        assert code != 0
        assert "Nothing was approved." in output
        code, output = await erase("berit", "approve", order[:13], "--yes")
        assert code == 0, output
        assert "Lobby: 2026-11-22 08:00:00 EET to 2026-11-22 09:00:00 EET" in output
        assert "is not one order" in (await erase("anna", "cancel", "ffff"))[1]
        assert "a member asks" in (await erase("anna", "list"))[1]
    await owner.close()
