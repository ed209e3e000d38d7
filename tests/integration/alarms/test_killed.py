"""The notify role as a process, killed again and again: what it raised is sent once, by the Message-ID at least."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from pipeline.embedded.process import die_with_parent
from pipeline.installation import Installation
from tests.support.alarms.gym import gym
from tests.support.alarms.mailbox import Mailbox

pytestmark = [pytest.mark.slow]

CONFIG = """
data = "data"
roles = ["index", "ingest", "custodian", "serve"]
[[site]]
name = "Gym"
[database]
host = "/nowhere"
{passwords}
[broker]
host = "nowhere"
user_name = "x"
password = {{ file = "secret" }}
[store]
endpoint = "nowhere"
bucket = "bucket"
access_key = {{ file = "secret" }}
secret_key = {{ file = "secret" }}
[alarms]
off = ["disk", "clock"]
delay_s = {{ camera = 0 }}
group_s = 0
[alarms.mail]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "gym@example.org"
recipients = ["anna@example.org"]
"""


def configured(directory: Path, port: int) -> Path:
    secret = directory / "secret"
    secret.write_text("secret\n")
    secret.chmod(0o600)
    roles = ("owner", "ingest", "index", "custodian", "serve", "keeper")
    passwords = "\n".join(f'{role}_password = {{ file = "secret" }}' for role in roles)
    path = directory / "tallenne.toml"
    path.write_text(CONFIG.format(port=port, passwords=passwords))
    Installation(directory / "data").prepare()
    return path


async def started(config: Path) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "pipeline.cli", "notify", "--config", str(config))
    with (config.parent / "notify.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(*command, stderr=log, preexec_fn=die_with_parent)


async def killed(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


async def test_nothing_is_lost_and_nothing_sent_twice(tmp_path: Path) -> None:
    """Killed with the mail server away, then with it there, at any moment; an acknowledged mail comes once."""
    box = Mailbox()
    config = configured(tmp_path, box.port)
    dice = random.Random(1)
    (tmp_path / "data" / "run").rmdir()
    async with gym(tmp_path / "data", cameras=4) as place:
        for number in range(2):
            place.cameras[number] = "connecting"
            process = await started(config)
            await _until_raised(tmp_path / "data", number + 1)
            await killed(process)
        assert box.mails == []
        box.open()
        try:
            for number in range(2, 4):
                place.cameras[number] = "connecting"
                process = await started(config)
                await asyncio.sleep(dice.uniform(0.5, 5))
                await killed(process)
            process = await started(config)
            for _ in range(400):
                if "Hall 3" in " ".join(mail.get_content() for mail in box.mails):
                    break
                await asyncio.sleep(0.2)
            await asyncio.sleep(3)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == os.EX_OK
        finally:
            box.close()
    ids = [mail["Message-ID"] for mail in box.mails]
    assert len(set(ids)) >= len(ids) - 2  # a kill between acknowledgement and note may repeat one, under its id
    told = " ".join(mail.get_content() for mail in {mail["Message-ID"]: mail for mail in box.mails}.values())
    for number in range(4):
        assert told.count(f"Camera Hall {number} ") == 1, box.subjects()


async def _until_raised(data: Path, count: int) -> None:
    file = data / "alarms" / "alarms.json"
    async with asyncio.timeout(30):
        while not file.exists() or file.read_text().count('"change": "raised"') < count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
