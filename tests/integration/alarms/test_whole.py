"""Everything real: `tallenne up` with sixteen cameras, and a mail server that is not ours."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from alarms.settings import WatchSettings
from pipeline.embedded.process import die_with_parent, free_ports
from tests.support.alarms.mailbox import Mailbox
from tests.support.processes.started import Started, started, wait_for
from tests.support.processes.troubled_gym import configuration

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(900)]

CAMERAS = 16
KEYS_S = 3600 * WatchSettings().keys_left_h
ALARMS = """
[alarms]
name = "Gym"
off = ["disk", "clock"]
delay_s = {{ camera = 6, store = 4 }}
hold_s = 10
group_s = 5
[alarms.mail]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "gym@example.org"
recipients = ["anna@example.org"]
"""


class Cameras:
    """Simulated cameras behind one port, that are unplugged and plugged in together."""

    def __init__(self, count: int) -> None:
        (self.port,) = free_ports(1)
        self._count = count
        self._process: subprocess.Popen[bytes] | None = None

    def plug_in(self) -> list[str]:
        size = ["--bitrate", "100000", "--fps", "5", "--gop", "5", "--size", "320x192"]
        where = ["--cameras", str(self._count), "--port", str(self.port)]
        command = [sys.executable, "-m", "demo.rtsp_server", *where, *size]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        assert self._process.stdout is not None
        urls: list[str] = json.loads(self._process.stdout.readline())["urls"]
        return urls

    def unplug(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.open()
    yield box
    box.close()


def recording(gym: Started) -> int:
    cameras = gym.statuses().get("ingest", {}).get("cameras", {})
    return sum(camera["state"] == "recording" for camera in cameras.values())


def settled(mailbox: Mailbox, count: int) -> list[str]:
    """The subjects, once there are so many, and after the time in which one too many would have come as well."""
    mailbox.wait_for(count, 120)
    time.sleep(12)
    return mailbox.subjects()


def test_each_outage_is_one_message_and_one_all_clear(tmp_path: Path, mailbox: Mailbox) -> None:
    one, others = Cameras(1), Cameras(CAMERAS - 1)
    try:
        urls = [*one.plug_in(), *others.plug_in()]
        (tmp_path / "tallenne.toml").write_text(configuration(urls) + ALARMS.format(port=mailbox.port))
        with started(tmp_path) as gym:
            wait_for(lambda: recording(gym) == CAMERAS and "notify" in gym.statuses(), 150)
            # Until hour keys are there for two weeks, a first start's message would list that, too.
            wait_for(lambda: gym.statuses().get("ingest", {}).get("keys_ahead_s", 0) > KEYS_S, 150)
            assert mailbox.mails == []
            one.unplug()
            (subject,) = settled(mailbox, 1)
            assert subject == "[Gym] Alarm: Camera camera 0 cannot be reached.", mailbox.mails[0].get_content()
            one.plug_in()
            assert len(settled(mailbox, 2)) == 2
            assert mailbox.subjects()[1].startswith("[Gym] All clear: Camera camera 0 ")

            one.unplug()
            others.unplug()
            (store,) = [each for each in psutil.Process(gym.process.pid).children() if each.name() == "weed"]
            store.send_signal(signal.SIGSTOP)  # which `tallenne up` ends and starts again after a while
            assert len(settled(mailbox, 3)) == 3
            text = mailbox.mails[2].get_content()
            assert "The object store does not answer." in text
            assert all(f"Camera camera {number} " in text for number in range(CAMERAS))
            one.plug_in()
            others.plug_in()
            assert len(settled(mailbox, 4)) == 4
            assert mailbox.subjects()[3].startswith("[Gym] All clear: ")
            assert json.loads(gym.run("alarms", "--json"))["raised"] == []
    finally:
        one.unplug()
        others.unplug()
