"""A real disk that fills and breaks under everything that the role writes: people learn of it within half a minute."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from alarms.settings import RuleSettings
from tests.integration.alarms.test_role import mails, notifying
from tests.support.alarms.gym import gym, settings_of
from tests.support.alarms.mailbox import Mailbox
from tests.support.processes.troubled_gym import Disk

pytestmark = [pytest.mark.slow]


@pytest.mark.parametrize(("trouble", "said"), [("fill", "is full"), ("break_down", "cannot be written to")])
async def test_disk_in_trouble_is_raised_within_half_a_minute(tmp_path: Path, trouble: str, said: str) -> None:
    disk = Disk.make(tmp_path / "image", tmp_path / "disk")
    if disk is None:
        pytest.skip("no disk can be mounted here")
    box = Mailbox()
    box.open()
    settings = settings_of(disk.at, box, rules=RuleSettings())  # the delays that are shipped
    try:
        async with gym(disk.at), notifying(settings):
            await asyncio.sleep(1)
            began_s = time.monotonic()
            getattr(disk, trouble)()
            (subject,) = await mails(box, 1)
            assert said in subject
            assert time.monotonic() - began_s < 30
    finally:
        box.close()
        disk.unmount()
