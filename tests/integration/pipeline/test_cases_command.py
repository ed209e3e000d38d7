"""`tallenne cases` against a served API with a custodian: as two people of the staff would."""

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


async def test_case_is_opened_held_noted_and_ended_by_two_people(database: Database, tmp_path: Path) -> None:
    settings = settings_for(database.serve, tmp_path)
    owner = await connect(database.owner)
    await open_gym(owner, time.time_ns())
    staff = {
        name: await create_staff(
            owner,
            user_name=name,
            display_name=name.title(),
            password=PASSWORD,
            grants=("exporter",),
            secret_directory=settings.secret_directory,
        )
        for name in ("anna", "berit")
    }
    async with custodian(custodian_settings(database.custodian, tmp_path)), serving(settings) as status:
        codes = {name: iter(each.recovery_codes) for name, each in staff.items()}

        async def cases(name: str, *words: str) -> tuple[int, str]:
            """Exit code and output of the command."""
            server = ("--server", status["address"], "--ca", str(settings.secret_directory / "tls-cert.pem"))
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pipeline.cli", "cases", *words, *server, "--reason", "insurer asks"),
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

        code, output = await cases("anna", "open", "A fall", "--json")
        assert code == 0, output
        number = json.loads(output)["number"]
        span = ("--start", "2026-11-22T06:00:00Z", "--end", "2026-11-22T07:00:00Z")
        code, output = await cases("anna", "hold", number, "--camera", "Lobby", *span, "--restrict")
        assert (code, output) == (0, "Kept: 0 recorded segments, and what is still to come of this span.\n")
        code, output = await cases("anna", "note", number, "Called Aino.")
        assert "restricted: Lobby, 2026-11-22 08:00:00 EET to 2026-11-22 09:00:00 EET" in output, output
        assert "Anna: Called Aino." in output
        assert "There is no case '7'" in (await cases("anna", "show", "7"))[1]
        assert "waits for a colleague" in (await cases("anna", "end", number))[1]
        code, output = await cases("anna", "end", number)
        assert code != 0
        assert "two people" in output
        code, output = await cases("berit", "end", number)
        assert (code, output) == (0, "Ended. 0 segments that only this case kept are destroyed.\n")
        assert "ended" in (await cases("berit", "list"))[1]
    await owner.close()
