"""`tallenne erase` against a served API with a custodian: as two people of the staff would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.support.processes.two_people import commands_of_two

pytestmark = pytest.mark.services


async def test_erasure_is_ordered_by_one_and_decided_by_another(database: Database, tmp_path: Path) -> None:
    async with commands_of_two(database, tmp_path, "erase", grant="admin", reason="a member asks") as commands:
        span = ("--start", "2026-11-22T06:00:00Z", "--end", "2026-11-22T07:00:00Z")
        code, output = await commands.run("anna", "span", "--camera", "Lobby", *span, "--json")
        assert code == 0, output
        order = json.loads(output)["erasure_id"]
        code, output = await commands.run("anna", "approve", order[:13], "--yes")
        assert code != 0
        assert "one hand" in output
        code, output = await commands.run("berit", "approve", order[:13])
        assert code != 0
        assert "Nothing was approved." in output
        code, output = await commands.run("berit", "approve", order[:13], "--yes")
        assert code == 0, output
        assert "Lobby: 2026-11-22 08:00:00 EET to 2026-11-22 09:00:00 EET" in output
        assert "is not one order" in (await commands.run("anna", "cancel", "ffff"))[1]
        assert "a member asks" in (await commands.run("anna", "list"))[1]
