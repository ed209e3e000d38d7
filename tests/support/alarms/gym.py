"""An installation as the notify role sees it: status files of roles that a test moves about, without the roles."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from alarms.conditions import Kind
from alarms.settings import AlarmSettings, MailSettings, RuleSettings
from runtime.status import StatusFile
from tests.support.alarms.mailbox import PASSWORD, USER, Mailbox

ROLES = ("ingest", "index", "custodian", "serve")
WRITE_S = 0.1


class Gym:
    """``cameras``: state by number; ``parts``: which services answer; ``silent``: roles that write no more."""

    def __init__(self, run_directory: Path, cameras: int) -> None:
        self.run_directory = run_directory
        self.cameras = dict.fromkeys(range(cameras), "recording")
        self.parts = {"database": True, "store": True, "custodian": True}
        self.silent: set[str] = set()
        self._frames = 0
        self._files = {role: StatusFile(run_directory, role) for role in ROLES}

    def write(self) -> None:
        """All status files, once."""
        self._frames += 1
        more: dict[str, dict[str, Any]] = {
            "ingest": {"cameras": {f"camera-{number}": self._camera(number) for number in self.cameras}},
            "index": {"subscribed": True, "quarantined": 0},
            "serve": {"parts": self.parts},
        }
        for role, file in self._files.items():
            if role not in self.silent:
                file.write("ready", **more.get(role, {}))

    def _camera(self, number: int) -> dict[str, Any]:
        state = self.cameras[number]
        frames = self._frames if state == "recording" else 0
        return {"name": f"Hall {number}", "state": state, "frames": frames, "last_error": "", "remedy": ""}


@contextlib.asynccontextmanager
async def gym(directory: Path, *, cameras: int = 1) -> AsyncIterator[Gym]:
    """One whose roles are well."""
    run_directory = directory / "run"
    run_directory.mkdir(mode=0o700)
    found = Gym(run_directory, cameras)
    found.write()

    async def go_on() -> None:
        while True:
            found.write()
            await asyncio.sleep(WRITE_S)

    task = asyncio.create_task(go_on())
    yield found
    task.cancel()
    await asyncio.wait((task,))


def settings_of(directory: Path, mailbox: Mailbox | None = None, **more: Any) -> AlarmSettings:
    """Delays of a fifth of a second or so, for a recipient of ``mailbox``."""
    mail = None
    if mailbox is not None:
        signed_in = mailbox.tls != "none"
        mail = MailSettings(
            host="127.0.0.1",
            port=mailbox.port,
            tls=mailbox.tls,  # type: ignore[arg-type]
            tls_ca=mailbox.authority,
            user_name=USER if signed_in else "",
            password=PASSWORD if signed_in else "",
            sender="gym@example.org",
            recipients=("anna@example.org",),
        )
    rules = RuleSettings(delays_s=dict.fromkeys(Kind, 0.3), hold_s=0.5, group_s=0.2)
    values: dict[str, Any] = {
        "name": "Gym",
        "time_zone": "Europe/Helsinki",
        "run_directory": directory / "run",
        "directory": directory / "alarms",
        "disks": {"data": directory},
        "roles": ROLES,
        "rules": rules,
        "mail": mail,
    }
    return AlarmSettings(**(values | more))
