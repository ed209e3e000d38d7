"""`tallenne retention` beside a custodian that holds what is overdue: status, confirm, certificates."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from custodian.client import CustodianClient
from custodian.errors import CustodianAwayError
from domain.time import HOUR_NS
from pipeline.commands.retention import command
from pipeline.config.model import Retention
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from runtime.settings import CustodianSettings
from tests.conftest import Database
from tests.support.footage.custodian import custodian, custodian_settings, until
from tests.support.footage.past import past

pytestmark = pytest.mark.services


class _Settings:
    """What the command asks of the installation's settings."""

    def __init__(self, database: Database, settings: CustodianSettings) -> None:
        self._database, self.custodian_socket = database, settings.socket
        self.loaded = SimpleNamespace(config=SimpleNamespace(retention=Retention()))

    def database(self, role: str) -> Any:
        return {"serve": self._database.serve, "custodian": self._database.custodian}[role]


async def test_held_footage_expires_on_confirmation_and_is_certified(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = custodian_settings(database.custodian, tmp_path, operator_uids=(os.geteuid(),), expire_at_once=0)
    monkeypatch.setattr(command, "settings_of", lambda _: cast("RoleSettings", _Settings(database, settings)))
    async with past(database.owner, database.custodian, tmp_path, back_h=3) as gym:
        camera = await gym.camera(1)
        segments = await gym.record(camera, 3)
        gym.clock.now_ns += 2 * HOUR_NS
        # The file of the time last seen is the running custodian's from here on.
        (tmp_path / "retention-clock").rename(tmp_path / "custody" / "retention-clock")
        lasting = await gym.camera(50)
        await gym.record(lasting, 1)
    async with custodian(replace(settings, directory=tmp_path / "custody"), ready=False) as client:
        held = partial(is_held, client)
        await until(held)
        early = tmp_path / "early.zip"
        assert await run("certificates", output=early) == 0
        assert not early.exists()  # an empty one would be called wrong by its own verifier
        capsys.readouterr()
        assert await run("status", json=True) == 1
        report = json.loads(capsys.readouterr().out)
        assert report["overdue_camera_hours"] == report["held"]["camera_hours"] == 1
        assert {one["camera_hours"] for one in report["cameras"]} == {1}
        monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
        assert await run("confirm", yes=False) == 1
        assert await held()
        assert await run("confirm", yes=True) == 0
        assert "1 camera-hours of footage" in " ".join(capsys.readouterr().out.split())

        async def over() -> bool:
            return not await held()

        await until(over)
        assert await client.open_for_verify([one.segment_id for one in segments]) == {}
        assert await run("status", json=False) == 0
        words = capsys.readouterr().out
        assert "1 camera-hours, 3 segments, " in words
        assert "door events, their tags and visits 90 days" in words
        path = tmp_path / "certificates.zip"
        assert await run("certificates", output=path) == 0
        assert " --key-sha256 " in capsys.readouterr().out
        with pytest.raises(SetupError, match=r"certificates\.zip cannot be written"):
            await run("certificates", output=tmp_path / "nowhere" / "certificates.zip")
    with zipfile.ZipFile(path) as archive:
        said = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")]
    assert sum(one["segments"] for one in said) == 3


async def is_held(client: CustodianClient) -> bool:
    with contextlib.suppress(CustodianAwayError):  # it is starting
        return (await client.status())["retention"]["held"] is not None
    return False


async def run(action: str, **more: Any) -> int:
    work = {"status": command._status, "confirm": command._confirm, "certificates": command._certificates}[action]
    return await work(argparse.Namespace(action=action, **more))
