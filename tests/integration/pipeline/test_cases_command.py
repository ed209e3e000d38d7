"""`tallenne cases` against a served API with a custodian: as two people of the staff would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.support.processes.two_people import commands_of_two

pytestmark = pytest.mark.services


async def test_case_is_opened_held_noted_and_ended_by_two_people(database: Database, tmp_path: Path) -> None:
    async with commands_of_two(database, tmp_path, "cases", grant="exporter", reason="insurer asks") as commands:
        code, output = await commands.run("anna", "open", "A fall", "--json")
        assert code == 0, output
        number = json.loads(output)["number"]
        span = ("--start", "2026-11-22T06:00:00Z", "--end", "2026-11-22T07:00:00Z")
        code, output = await commands.run("anna", "hold", number, "--camera", "Lobby", *span, "--restrict")
        assert (code, output) == (0, "Kept: 0 recorded segments, and what is still to come of this span.\n")
        code, output = await commands.run("anna", "note", number, "Called Aino.")
        assert "restricted: Lobby, 2026-11-22 08:00:00 EET to 2026-11-22 09:00:00 EET" in output, output
        assert "Anna: Called Aino." in output
        assert "There is no case '7'" in (await commands.run("anna", "show", "7"))[1]
        assert "waits for a colleague" in (await commands.run("anna", "end", number))[1]
        code, output = await commands.run("anna", "end", number)
        assert code != 0
        assert "two people" in output
        code, output = await commands.run("berit", "end", number)
        assert (code, output) == (0, "Ended. 0 segments that only this case kept are destroyed.\n")
        assert "ended" in (await commands.run("berit", "list"))[1]
